using System.CommandLine;

namespace WorktreePool.Cli.Commands;

/// <summary>How long answers are given.</summary>
internal static class OutputOptions
{
    public static readonly Option<bool> JsonLines = new("--json-lines") { Description = "One JSON object a line, for tools that read streams" };
    public static readonly Option<bool> NoPager = new("--no-pager") { Description = "Not page by page, also on a terminal" };
}
