using System.CommandLine;
using System.Globalization;
using WorktreePool.Cli.Output;
using WorktreePool.Cli.Settings;

namespace WorktreePool.Cli.Commands;

/// <summary>init.</summary>
internal static class InitCommand
{
    public static Command Create() => App.Command("init", "Makes the pool over an existing repository, or resizes it", RunAsync,
    [
        new Option<string>("--repo") { Required = true, Description = "The repository" },
        new Option<int?>("--slots") { Description = "How many slots" },
        new Option<string?>("--base") { Description = "The ref slots are reset to" },
        new Option<string?>("--slots-dir") { Description = "Where the slots are made" },
        new Option<string?>("--claim-timeout") { Description = "How long a claim may take" },
        new Option<string?>("--host-timeout") { Description = "After how long the host kills a task that claims" },
        new Option<string[]>("--keep") { Description = "An untracked path that a clean leaves alone, for example /.cache/" },
        new Option<bool>("--isolated") { Description = "A repository of the pool's own (not in this version)" },
    ]);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        if (session.Get<bool>("--isolated"))
        {
            throw new UsageException("--isolated is not supported by this version. Nothing was changed.");
        }

        string directory = PoolSettings.FindDirectory(session.Parsed.GetValue(GlobalOptions.Pool)) ?? Path.GetFullPath(".worktree-pool");
        PoolSettings settings = PoolSettings.Load(directory);
        string repository = Path.GetFullPath(session.Get<string>("--repo")!);
        if (settings.Stored("repositoryPath") is { } present && Path.GetFullPath(present) != repository)
        {
            throw new PoolConfigurationException($"The pool in {directory} is over {present}, not over {repository}. Nothing was changed. Name another directory with --pool.");
        }

        Set("repositoryPath", repository);
        Set("slots", session.Get<int?>("--slots")?.ToString(CultureInfo.InvariantCulture));
        Set("base", session.Get<string?>("--base"));
        Set("slotsDirectory", session.Get<string?>("--slots-dir") is { } slots ? Path.GetFullPath(slots) : null);
        Set("claimTimeout", session.Time("--claim-timeout") is { } claim ? Duration.Format(claim) : null);
        Set("hostTaskTimeout", session.Time("--host-timeout") is { } host ? Duration.Format(host) : null);
        Set("keep", session.Get<string[]>("--keep") is { Length: > 0 } keep ? string.Join('\n', keep) : null);
        session.Settings = settings;
        IPoolOperator pool = session.Operator;
        PoolSnapshot snapshot;
        try
        {
            snapshot = await pool.InitializeAsync(cancellationToken);
        }
        finally
        {
            // What was refused before anything was made leaves nothing; what was made, even if not wholly, is a pool to look at and go on with.
            if (Directory.Exists(Path.Combine(directory, "state")))
            {
                settings.Save();
            }
        }

        session.Answer.Give(Mapping.Status(snapshot), AnswerJson.Default.StatusDocument, () => Text.Status(snapshot));
        return ExitCode.Done;

        void Set(string name, string? value)
        {
            if (value is not null)
            {
                settings.Set(name, value, "flag");
            }
        }
    }
}
