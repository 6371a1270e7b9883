using System.Reflection;
using System.Text.RegularExpressions;

namespace WorktreePool.Tests.Architecture;

/// <summary>Every backend and store is run through its suite, and a suite leaves no member of its seam out.</summary>
public sealed class ConformanceTests
{
    /// <summary>Has no files to compare with: tested against the suite's own expectations in WorktreePool.Git.Tests, ScriptedGitTests.</summary>
    private static readonly string[] WithoutFiles = ["ScriptedGitBackend"];

    [Fact]
    public void Every_backend_and_store_of_the_solution_has_a_suite()
    {
        var implements = new Regex(@"\bclass (\w+)[^\n{;]*?(?:\)|\b) : [^\n{]*\bI(?:GitBackend|\w*StateStore|SetUpRunner)\b");
        string[] seams = [.. Sources.CSharp("src").SelectMany(file => implements.Matches(Sources.Code(file.Text))).Select(match => match.Groups[1].Value).Distinct().Except(WithoutFiles)];
        string tests = string.Concat(Sources.CSharp("tests").Select(file => file.Text));
        seams.Should().Contain(["CliGitBackend", "AutoGitBackend", "LibGit2Backend", "FileSlotStateStore", "PostgresSlotStateStore", "InMemorySlotStateStore", "SetUpRunner"]);
        seams.Where(seam => !tests.Contains($"[ConformanceOf(typeof({seam}))]", StringComparison.Ordinal)).Should().BeEmpty("each runs through its suite");
    }

    [Theory]
    [InlineData(typeof(IGitBackend))]
    [InlineData(typeof(IRescueArchive))]
    [InlineData(typeof(ISlotStateStore))]
    [InlineData(typeof(ISetUpRunner))]
    public void Every_member_of_a_seam_is_in_its_suite(Type seam)
    {
        string suite = string.Concat(Sources.CSharp("src/WorktreePool.Testing.Conformance").Select(file => Sources.Code(file.Text)));

        // A clock is a choice of the store's, not a duty.
        IEnumerable<string> members = seam.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(member => member is PropertyInfo or MethodInfo { IsSpecialName: false }).Select(member => member.Name).Except([nameof(ISlotStateStore.Clock)]);
        members.Where(member => !Regex.IsMatch(suite, $@"\.{member}\b")).Should().BeEmpty("a member without a test is no contract");
    }
}
