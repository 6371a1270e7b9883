using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace WorktreePool.Hosting;

/// <summary>Tells that a pool's options may have changed, whenever its configuration is reloaded.</summary>
internal sealed class ConfigurationChanges<T>(string name, IConfiguration configuration) : IOptionsChangeTokenSource<T>
{
    public string Name => name;

    public IChangeToken GetChangeToken() => configuration.GetReloadToken();
}
