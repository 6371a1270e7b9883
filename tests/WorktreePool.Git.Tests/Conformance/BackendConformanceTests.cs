using WorktreePool.Git.Auto;
using WorktreePool.Git.Cli;
using WorktreePool.Git.LibGit2;
using WorktreePool.Git.SetUp;
using WorktreePool.Testing;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Conformance;

[ConformanceOf(typeof(CliGitBackend))]
public sealed class CliConformanceTests : GitBackendConformance
{
    protected override IGitBackend Create(WorktreePoolOptions options) => Backends.Cli(options);
}

[ConformanceOf(typeof(AutoGitBackend))]
public sealed class AutoConformanceTests : GitBackendConformance
{
    protected override IGitBackend Create(WorktreePoolOptions options) => new AutoGitBackend(Backends.Cli(options), options);
}

[ConformanceOf(typeof(LibGit2Backend))]
public sealed class LibGit2ConformanceTests : GitBackendConformance
{
    protected override bool ChecksOutAnyName => false;

    protected override IGitBackend Create(WorktreePoolOptions options) => new LibGit2Backend(Backends.Cli(options), options);
}

/// <summary>
/// The suite over a repository of the pool's own. What is damaged in a slot's files has little to do with whose repository it is: of that, a few.
/// </summary>
public abstract class IsolatedConformance : GitBackendConformance
{
    private const int OneOf = 12;

    public static new TheoryData<string> Damages => [.. GitBackendConformance.Damages.Select(row => row.Data).Where((_, at) => at % OneOf == 0)];

    protected override bool IsIsolated => true;
}

[ConformanceOf(typeof(CliGitBackend))]
public sealed class IsolatedCliConformanceTests : IsolatedConformance
{
    protected override IGitBackend Create(WorktreePoolOptions options) => Backends.Cli(options);
}

[ConformanceOf(typeof(AutoGitBackend))]
public sealed class IsolatedAutoConformanceTests : IsolatedConformance
{
    protected override IGitBackend Create(WorktreePoolOptions options) => new AutoGitBackend(Backends.Cli(options), options);
}

[ConformanceOf(typeof(LibGit2Backend))]
public sealed class IsolatedLibGit2ConformanceTests : IsolatedConformance
{
    protected override bool ChecksOutAnyName => false;

    protected override IGitBackend Create(WorktreePoolOptions options) => new LibGit2Backend(Backends.Cli(options), options);
}

[ConformanceOf(typeof(SetUpRunner))]
public sealed class SetUpConformanceTests : SetUpRunnerConformance
{
    protected override ISetUpRunner Create(WorktreePoolOptions options) => new SetUpRunner(options, TimeProvider.System);
}

public sealed class CompletenessTests
{
    [Fact]
    public void Every_backend_runs_the_suite() => ConformanceOfAttribute.FindUntested(typeof(CliGitBackend).Assembly, GetType().Assembly).Should().BeEmpty();

    [Fact]
    public void A_backend_without_a_suite_is_found()
    {
        // The scripted git has no files: it is tested in ScriptedGitTests.
        ConformanceOfAttribute.FindUntested(typeof(ScriptedGitBackend).Assembly, GetType().Assembly).Should().Contain(typeof(ScriptedGitBackend));
    }
}

file static class Backends
{
    public static CliGitBackend Cli(WorktreePoolOptions options) => new(options, TimeProvider.System);
}
