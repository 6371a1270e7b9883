using WorktreePool.Git.Cli;

namespace WorktreePool.Git.Tests.Cli;

/// <summary>A filter whose command leads into a slot would run what a holder left there; one that does not is trusted.</summary>
public sealed class TrustedFiltersTests : IDisposable
{
    private readonly string _checkout = Directory.CreateTempSubdirectory("worktree-pool-filters-").FullName;

    public void Dispose() => Directory.Delete(_checkout, recursive: true);

    [Theory]
    [InlineData("./tools/clean.sh")]
    [InlineData("../x")]
    [InlineData("tools/clean.sh %f")]
    [InlineData("sh tools/there.sh")]
    [InlineData("python3 there.py")]
    [InlineData("sh -c 'cat | \"./x\"'")]
    [InlineData("MODE=1 tools/any")]
    [InlineData("perl $(git rev-parse --show-toplevel)/x.pl")]
    [InlineData("\"$PWD/x\"")]
    [InlineData("CHECKOUT/tools/x")]
    [InlineData("/usr/bin/python3 CHECKOUT/x.py")]
    public void Leads_into_a_slot(string command) => Find(command).Should().ContainKey("x");

    [Theory]
    [InlineData("git-lfs clean -- %f")]
    [InlineData("git-lfs filter-process")]
    [InlineData("sed -e 's/a/b/' -e s,./,/,g")]
    [InlineData("/usr/local/bin/nbstripout")]
    [InlineData("~/bin/clean")]
    [InlineData("CHECKOUTER/tools/x")]
    [InlineData("tr a-z A-Z")]
    [InlineData("")]
    public void Does_not(string command) => Find(command).Should().BeEmpty();

    [Fact]
    public void All_settings_of_a_filter_that_leads_into_a_slot_are_its_own()
    {
        Dictionary<string, string> leading = Find("./x");

        TrustedFilters.IsOf("filter.x.required", leading).Should().BeTrue();
        TrustedFilters.IsOf("filter.y.clean", leading).Should().BeFalse();
        TrustedFilters.IsOf("core.eol", leading).Should().BeFalse();
    }

    private Dictionary<string, string> Find(string command)
    {
        Directory.CreateDirectory(Path.Combine(_checkout, "tools"));
        File.WriteAllText(Path.Combine(_checkout, "tools", "there.sh"), "");
        File.WriteAllText(Path.Combine(_checkout, "there.py"), "");
        return TrustedFilters.FindLeading([new("filter.x.clean", command.Replace("CHECKOUT", _checkout, StringComparison.Ordinal)), new("filter.y.clean", "cat")], _checkout, [_checkout]);
    }
}
