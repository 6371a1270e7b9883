using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;
using WorktreePool.Git;

namespace WorktreePool.Cli.Readiness;

/// <summary>Whether a repository and this machine are ready for a pool. Changes nothing.</summary>
internal static class Examination
{
    /// <summary>All checks; those that need a repository end at the first that shows there is none.</summary>
    /// <param name="repository">The repository's checkout or git directory.</param>
    /// <param name="place">Where the slots would be; it need not exist yet.</param>
    /// <param name="slots">How many.</param>
    /// <param name="baseRef">The ref they would stand at; null for the repository's default.</param>
    /// <param name="cancellationToken">Ends the examination.</param>
    public static async Task<List<Check>> RunAsync(string repository, string place, int slots, string? baseRef, CancellationToken cancellationToken)
    {
        List<Check> checks = [];
        var git = new GitReader(repository);
        checks.Add(await git.VersionAsync(cancellationToken));
        if (checks[^1].Verdict == Verdict.Fails)
        {
            return checks;
        }

        (Check inspected, string? defaultBase) = await InspectAsync(repository, place, cancellationToken);
        checks.Add(inspected);
        if (defaultBase is not null)
        {
            checks.Add(await git.ExtensionsAsync(cancellationToken));
            (Check check, TreeSize? size) = await git.MeasureAsync(baseRef ?? defaultBase, cancellationToken);
            checks.Add(check);
            checks.AddRange(PlaceChecks.For(place, slots, size));
        }

        checks.AddRange(MachineChecks.For(slots));
        return checks;
    }

    /// <summary>The library's own word on the repository: what init would say.</summary>
    private static async Task<(Check Check, string? DefaultBase)> InspectAsync(string repository, string place, CancellationToken cancellationToken)
    {
        const string Id = "repository", Name = "readiness";
        var services = new ServiceCollection();
        services.AddWorktreePool(Name, options => (options.RepositoryPath, options.PoolDirectory) = (repository, place)).UseGit();
        await using ServiceProvider provider = services.BuildServiceProvider();
        try
        {
            RepositoryFacts facts = await provider.GetRequiredKeyedService<IGitBackend>(Name).InspectAsync(cancellationToken);
            List<Finding> findings = [.. facts.Findings.Where(finding => finding.Id is FindingIds.RepositoryResidue or FindingIds.ForeignOwner)];
            Check check = findings.Count == 0
                ? new Check(Id, Verdict.Ready, $"{facts.CommonDirectory}; slots would stand at {facts.DefaultBase}")
                : new Check(Id, Verdict.Warns, string.Join("; ", findings.Select(finding => $"{finding.Id}: {finding.Detail}")), "Tidy it up first; the pool works without, and its holders' git may not.");
            return (check, facts.DefaultBase);
        }
        catch (WorktreePoolException e)
        {
            return (new Check(Id, Verdict.Fails, e.Message, "A pool needs a repository with a commit; clone or fetch one."), null);
        }
    }
}
