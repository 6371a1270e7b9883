using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;
using WorktreePool.Git.Auto;
using WorktreePool.Git.Cli;
using WorktreePool.Git.LibGit2;
using WorktreePool.Git.SetUp;

namespace WorktreePool.Git;

/// <summary>Chooses a pool's git backend.</summary>
public static class GitBackendExtensions
{
    /// <summary>The git command line: works with every repository git works with, at the price of some process starts.</summary>
    /// <param name="builder">The pool.</param>
    public static WorktreePoolBuilder UseGitCli(this WorktreePoolBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return Steps(builder).UseBackend(Cli);
    }

    /// <summary>
    /// The default: the git command line, except that slots are probed in this process where the answer is provably git's own: on Linux, in
    /// a SHA-1 repository without filters, keywords, encodings, line ends other than a line feed, and submodules.
    /// </summary>
    /// <param name="builder">The pool.</param>
    public static WorktreePoolBuilder UseGit(this WorktreePoolBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return Steps(builder).UseBackend((services, options) => new AutoGitBackend(Cli(services, options), options));
    }

    /// <summary>
    /// LibGit2Sharp: refs, branches, probes, and repairs in this process, without starting git; the command line for the rest (baseline,
    /// fetch, rescue, removal). Refuses, with a <see cref="GitBackendException"/>, whatever it would get wrong: submodules, filters, keywords,
    /// encodings, line ends other than a line feed, file names that are not UTF-8, format extensions, repositories of another owner.
    /// </summary>
    /// <param name="builder">The pool.</param>
    /// <remarks>In the whole process libgit2 reads no config of the machine and the user from then on.</remarks>
    public static WorktreePoolBuilder UseLibGit2Sharp(this WorktreePoolBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return Steps(builder).UseBackend((services, options) => new LibGit2Backend(Cli(services, options), options));
    }

    private static WorktreePoolBuilder Steps(WorktreePoolBuilder builder) =>
        builder.UseSetUpRunner((services, options) => new SetUpRunner(options, services.GetService<TimeProvider>() ?? TimeProvider.System));

    private static CliGitBackend Cli(IServiceProvider services, WorktreePoolOptions options) =>
        new(options, services.GetService<TimeProvider>() ?? TimeProvider.System);
}
