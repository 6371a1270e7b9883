using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;
using WorktreePool.Git.Cli;

namespace WorktreePool.Git;

/// <summary>Chooses a pool's git backend.</summary>
public static class GitBackendExtensions
{
    /// <summary>The git command line: works with every repository git works with, at the price of some process starts.</summary>
    /// <param name="builder">The pool.</param>
    public static WorktreePoolBuilder UseGitCli(this WorktreePoolBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseBackend((services, options) => new CliGitBackend(
            options.RepositoryPath, options.PoolDirectory, options.Keep, services.GetService<TimeProvider>() ?? TimeProvider.System));
    }

    /// <summary>The default. At present the git command line does all the work; an in-process probe takes its place where that is provably sound.</summary>
    /// <param name="builder">The pool.</param>
    public static WorktreePoolBuilder UseGit(this WorktreePoolBuilder builder) => builder.UseGitCli();
}
