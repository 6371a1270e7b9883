using System.CommandLine;
using WorktreePool.Cli.Output;
using WorktreePool.Cli.Readiness;
using WorktreePool.Cli.Settings;

namespace WorktreePool.Cli.Commands;

/// <summary>doctor where there is no pool yet: whether a repository and this machine are ready for one.</summary>
internal static class ReadinessCommand
{
    public static IEnumerable<Option> Options() =>
    [
        new Option<string?>("--repo") { Description = "Examines this repository, and the machine, for a pool that is still to be made" },
        new Option<int?>("--slots") { Description = "With --repo: for so many slots" },
        new Option<string?>("--base") { Description = "With --repo: the ref that slots would stand at" },
        new Option<string?>("--slots-dir") { Description = "With --repo: where the slots would be" },
    ];

    /// <summary>The repository whose readiness for a pool is asked for; null when a pool is to be examined.</summary>
    public static string? RepositoryOf(Session session)
    {
        if (session.Get<string?>("--repo") is { } named)
        {
            return Path.GetFullPath(named);
        }

        // Nothing names a pool: a person stands in a repository and asks what there is.
        return PoolSettings.FindDirectory(session.Parsed.GetValue(GlobalOptions.Pool)) is null ? RepositoryAt(Environment.CurrentDirectory) : null;
    }

    /// <summary>Examines it.</summary>
    public static async Task<int> RunAsync(Session session, string repository, CancellationToken cancellationToken)
    {
        if (session.Get<bool>("--fix") || session.Get<string?>("--force-slot") is not null || session.Get<string?>("--report") is not null)
        {
            throw new UsageException("--fix, --force-slot and --report are for a pool; there is none yet. Make it with worktree-pool init.");
        }

        int slots = session.Get<int?>("--slots") ?? new WorktreePoolOptions().Slots;
        if (slots < 1)
        {
            throw new UsageException("--slots must be at least 1.");
        }

        string place = session.Get<string?>("--slots-dir") is { } named ? Path.GetFullPath(named) : PoolSettings.FindDirectory(session.Parsed.GetValue(GlobalOptions.Pool)) ?? Path.GetFullPath(".worktree-pool");
        List<Check> checks = await Readiness.Examination.RunAsync(repository, place, slots, session.Get<string?>("--base"), cancellationToken);
        bool isReady = checks.All(check => check.Verdict != Verdict.Fails);
        session.Answer.Give(
            new ReadinessDocument(isReady, repository, slots, [.. checks.Select(check => new CheckDocument(check.Id, Mapping.Name(check.Verdict), check.Detail, check.Remedy))]),
            AnswerJson.Default.ReadinessDocument, () => Output.Text.Readiness(repository, slots, checks, isReady));
        return isReady ? ExitCode.Done : ExitCode.NotReady;
    }

    private static string? RepositoryAt(string? directory)
    {
        for (; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (Path.Exists(Path.Combine(directory, ".git")))
            {
                return directory;
            }
        }

        return null;
    }
}
