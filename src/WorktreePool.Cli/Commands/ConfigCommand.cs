using System.CommandLine;
using WorktreePool.Cli.Output;
using WorktreePool.Cli.Settings;

namespace WorktreePool.Cli.Commands;

/// <summary>config.</summary>
internal static class ConfigCommand
{
    public static Command Create() => App.Command("config", "Every effective setting and where it came from; any setting also as a flag, to see what it would do", RunAsync, SettingOptions.All());

    private static Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        // Opening the pool validates: what is printed is what would run.
        _ = session.Operator;
        EffectiveSettings effective = session.Settings.Effective();
        List<SettingDocument> settings = [.. CommandSetting.All.Select(setting => new SettingDocument(setting.Name, setting.Get(effective), session.Settings.SourceOf(setting.Name)))];
        session.Answer.Give(
            new ConfigDocument(session.Settings.Directory, settings), AnswerJson.Default.ConfigDocument,
            () => $"{session.Settings.Directory}\n{Text.Table([["setting", "value", "source"], .. settings.Select(setting => new[] { setting.Name, setting.Value?.Replace('\n', ' ') ?? "(none)", setting.Source })])}");
        return Task.FromResult(ExitCode.Done);
    }
}
