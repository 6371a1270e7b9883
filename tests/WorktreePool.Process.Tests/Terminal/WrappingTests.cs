using WorktreePool.Cli.Output;

namespace WorktreePool.Process.Tests.Terminal;

/// <summary>Lines for a terminal's width.</summary>
public sealed class WrappingTests
{
    [Theory]
    [InlineData("short", 10, null, "short")]
    [InlineData("a line of words", 10, null, "a line of\n  words")]
    [InlineData("    further in than that", 14, null, "    further in\n      than\n      that")]
    [InlineData("exactly ten", 11, null, "exactly ten")]
    [InlineData("one averyveryverylongword more", 12, null, "one\n  averyveryverylongword\n  more")]
    [InlineData("averyveryverylongword more", 12, null, "averyveryverylongword\n  more")]
    [InlineData("averyveryverylongword", 12, null, "averyveryverylongword")]
    [InlineData("slot-0  free  healed on-branch, untracked, lock-stale", 40, 14, "slot-0  free  healed on-branch,\n              untracked, lock-stale")]
    [InlineData("slot-0  free  healed a, b, c and d", 30, 14, "slot-0  free  healed a, b, c\n  and d")]
    [InlineData("two words\nand two more", 9, null, "two words\nand two\n  more")]
    public void Are_broken_between_words(string text, int width, int? indent, string expected) => Wrapping.Wrap(text, width, indent).Should().Be(expected);
}
