using WorktreePool.Git.Auto;
using WorktreePool.Git.Cli;
using WorktreePool.Git.LibGit2;
using WorktreePool.Testing;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Conformance;

public sealed class CliConformanceTests : GitBackendConformance
{
    protected override IGitBackend Create(WorktreePoolOptions options) => Backends.Cli(options);
}

public sealed class AutoConformanceTests : GitBackendConformance
{
    protected override IGitBackend Create(WorktreePoolOptions options) => new AutoGitBackend(Backends.Cli(options), options);
}

public sealed class LibGit2ConformanceTests : GitBackendConformance
{
    protected override bool ChecksOutAnyName => false;

    protected override IGitBackend Create(WorktreePoolOptions options) => new LibGit2Backend(Backends.Cli(options), options);
}

public sealed class CompletenessTests
{
    /// <summary>Tested without files, in WorktreePool.Git.Tests.Conformance.ScriptedGitTests.</summary>
    private static readonly Type[] WithoutRepository = [typeof(ScriptedGitBackend)];

    [Fact]
    public void Every_backend_has_a_conformance_class()
    {
        Type[] backends = [.. new[] { typeof(CliGitBackend).Assembly, typeof(ScriptedGitBackend).Assembly }
            .SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.IsClass && !type.IsAbstract && type.IsAssignableTo(typeof(IGitBackend)))
            .Except(WithoutRepository)];

        string[] tested = [.. typeof(CompletenessTests).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(GitBackendConformance))).Select(type => type.Name)];

        backends.Should().NotBeEmpty();
        backends.Select(backend => backend.Name.Replace("GitBackend", "", StringComparison.Ordinal).Replace("Backend", "", StringComparison.Ordinal) + "ConformanceTests")
            .Should().BeSubsetOf(tested);
    }
}

file static class Backends
{
    public static CliGitBackend Cli(WorktreePoolOptions options) => new(options, TimeProvider.System);
}
