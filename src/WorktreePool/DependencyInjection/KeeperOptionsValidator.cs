using Microsoft.Extensions.Options;
using WorktreePool.Settings;

namespace WorktreePool.DependencyInjection;

/// <summary>The rules of the keeper's settings.</summary>
internal sealed class KeeperOptionsValidator : IValidateOptions<KeeperOptions>
{
    public ValidateOptionsResult Validate(string? name, KeeperOptions options)
    {
        string[] failures = [.. KeeperSettingTable.Check(options).Select(failure => $"Pool \"{name}\": {failure}")];
        return failures.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
