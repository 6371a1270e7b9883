using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using WorktreePool.Cli.Output;
using WorktreePool.Cli.Readiness;
using WorktreePool.Cli.Settings;

namespace WorktreePool.Cli.Commands;

/// <summary>doctor.</summary>
internal static class DoctorCommand
{
    public static Command Create() => App.Command("doctor", "Examines every slot and the repository; or, where there is no pool, whether a repository is ready for one", RunAsync,
        new Option<bool>("--fix") { Description = "Heals slots that nobody holds, and leaves a report in the pool's directory" },
        new Option<string?>("--force-slot") { Description = "With --fix: releases this slot first, whoever holds it; its work is kept" },
        new Option<string?>("--report") { Description = "Where to write the report; default with --fix: reports/ in the pool's directory" },
        new Option<string?>("--repo") { Description = "Examines this repository, and the machine, for a pool that is still to be made" },
        new Option<int?>("--slots") { Description = "With --repo: for so many slots" },
        new Option<string?>("--base") { Description = "With --repo: the ref that slots would stand at" },
        new Option<string?>("--slots-dir") { Description = "With --repo: where the slots would be" });

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        bool fix = session.Get<bool>("--fix");
        if (ReadinessOf(session) is { } repository)
        {
            return await ExamineAsync(session, repository, fix, cancellationToken);
        }

        if (session.Get<string?>("--force-slot") is { } forced)
        {
            await ForceAsync(session, forced, fix, cancellationToken);
        }

        DoctorReport report = await ProgressView.WhileAsync(session.Answer, progress => session.Operator.ExamineAsync(fix, cancellationToken, progress).AsTask());
        DoctorDocument document = Mapping.Doctor(report);
        bool isAllWell = report.Repository.Count == 0 && report.Slots.All(slot => slot.Findings.Count == 0);
        string? file = session.Get<string?>("--report") is { } named ? Path.GetFullPath(named) : fix && !isAllWell ? DefaultReport(session) : null;
        if (file is not null)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, JsonSerializer.Serialize(document, ReadableAnswerJson.Default.DoctorDocument) + "\n", cancellationToken);
        }

        session.Answer.Give(document, AnswerJson.Default.DoctorDocument, () => Text.Doctor(report, fix) + (file is null ? "" : $"\nreport: {file}"));
        return report.IsReady ? ExitCode.Done : ExitCode.NotReady;
    }

    /// <summary>The repository whose readiness for a pool is asked for; null when a pool is to be examined.</summary>
    private static string? ReadinessOf(Session session)
    {
        if (session.Get<string?>("--repo") is { } named)
        {
            return Path.GetFullPath(named);
        }

        // Nothing names a pool: a person stands in a repository and asks what there is.
        return PoolSettings.FindDirectory(session.Parsed.GetValue(GlobalOptions.Pool)) is null ? RepositoryAt(Environment.CurrentDirectory) : null;
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

    private static async Task<int> ExamineAsync(Session session, string repository, bool fix, CancellationToken cancellationToken)
    {
        if (fix || session.Get<string?>("--force-slot") is not null || session.Get<string?>("--report") is not null)
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

    private static async Task ForceAsync(Session session, string name, bool fix, CancellationToken cancellationToken)
    {
        if (!fix)
        {
            throw new UsageException("--force-slot goes with --fix only.");
        }

        PoolSnapshot snapshot = await session.Pool.GetSnapshotAsync(cancellationToken);
        SlotRecord record = snapshot.Slots.FirstOrDefault(slot => slot.Record.Slot == name)?.Record
            ?? throw new UsageException($"--force-slot: the pool has no slot \"{name}\". It has {string.Join(", ", snapshot.Slots.Select(slot => slot.Record.Slot))}.");
        if (record is { State: SlotState.Leased, Lease: { } lease })
        {
            await session.Operator.ReleaseAsync(lease.Key, ReleaseMode.Rescue, cancellationToken);
        }
    }

    private static string DefaultReport(Session session) => Path.Combine(
        session.Settings.Directory, "reports", string.Create(CultureInfo.InvariantCulture, $"doctor-{TimeProvider.System.GetUtcNow():yyyyMMdd'T'HHmmss.fff'Z'}.json"));
}
