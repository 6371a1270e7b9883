using System.Reflection;
using System.Text.RegularExpressions;
using WorktreePool.Desync.Tests.Damage;

namespace WorktreePool.Desync.Tests;

/// <summary>docs/desync.md tells of every finding and of every state, and of none that does not exist. What it says of a state is compared by <see cref="Check"/>.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string[] Ids = [.. typeof(FindingIds).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!)];

    [Fact]
    public void Every_finding_is_documented_and_every_documented_one_exists() =>
        FirstColumn().Matches(DocumentedStates.Section("## Findings")).Select(row => row.Groups[1].Value).Should().BeEquivalentTo(Ids);

    [Fact]
    public void Every_state_is_documented_and_every_documented_one_is_tested() =>
        DocumentedStates.All.Keys.Should().BeEquivalentTo(Catalogue.All.Select(state => state.Id));

    [Fact]
    public void Every_state_names_findings_that_exist() =>
        DocumentedStates.All.Values.SelectMany(state => state.Healed.Concat(state.Reported)).Distinct().Should().NotBeEmpty().And.BeSubsetOf(Ids);

    [GeneratedRegex(@"^\| `([a-z0-9-]+)` \|", RegexOptions.Multiline)]
    private static partial Regex FirstColumn();
}
