using System.Diagnostics;
using CsCheck;
using WorktreePool.Lifecycle;

namespace WorktreePool.Tests.Lifecycle;

/// <summary>Names that reach refs, paths and messages are checked before anything is touched.</summary>
public sealed class NamesTests
{
    [Theory]
    [InlineData("MC-4683")]
    [InlineData("x")]
    [InlineData("ticket #7: größer 日本")]
    [InlineData("../../etc/passwd")]
    public void A_key_is_any_printable_text(string key) => Names.WhyNotKey(key).Should().BeNull();

    [Theory]
    [InlineData(null, "empty")]
    [InlineData("", "empty")]
    [InlineData("  ", "empty")]
    [InlineData("a\nb", "control")]
    [InlineData("a\0b", "control")]
    public void A_key_that_would_break_a_line_or_says_nothing_is_refused(string? key, string says) => Names.WhyNotKey(key).Should().Contain(says);

    [Fact]
    public void A_key_has_at_most_200_characters()
    {
        Names.WhyNotKey(new string('k', 200)).Should().BeNull();
        Names.WhyNotKey(new string('k', 201)).Should().Contain("201").And.Contain("200");
    }

    [Fact]
    public void Slot_names_and_numbers_are_one_to_one() => Gen.Int[0, 100_000].Sample(number => Names.Number(Names.Slot(number)) == number);

    [Theory]
    [InlineData("slot-")]
    [InlineData("slot--1")]
    [InlineData("slot-x")]
    [InlineData("slots-1")]
    [InlineData("slot- 1")]
    public void What_is_no_slots_name_has_no_number(string name) => Names.Number(name).Should().Be(-1);

    /// <summary>Git itself is the reference; the pool may refuse more, but must not let through what git refuses.</summary>
    [Theory]
    [InlineData("cr/mc-4683")]
    [InlineData("größe")]
    [InlineData("a.b")]
    [InlineData("-x")]
    [InlineData("a..b")]
    [InlineData("a//b")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a.")]
    [InlineData(".a")]
    [InlineData("a/.b")]
    [InlineData("a.lock")]
    [InlineData("a.lock/b")]
    [InlineData("a b")]
    [InlineData("a~1")]
    [InlineData("a^")]
    [InlineData("a:b")]
    [InlineData("a?b")]
    [InlineData("a*")]
    [InlineData("a[b")]
    [InlineData("a\\b")]
    [InlineData("a@{b")]
    [InlineData("HEAD")]
    [InlineData("a\tb")]
    [InlineData("a\u007fb")]
    public async Task A_branch_name_is_accepted_exactly_when_git_accepts_it(string branch)
    {
        using Process git = Process.Start(new ProcessStartInfo("git", ["check-ref-format", "--branch", branch]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        await git.WaitForExitAsync(TestContext.Current.CancellationToken);
        (Names.WhyNotBranch(branch) is null).Should().Be(git.ExitCode == 0);
    }

    [Theory]
    [InlineData("")]
    [InlineData("@")]
    [InlineData("refs/heads/x")]
    public void A_branch_name_is_short_and_means_itself(string branch) => Names.WhyNotBranch(branch).Should().Contain("check-ref-format");
}
