using System.Text.RegularExpressions;

namespace WorktreePool.Process.Tests.Documents;

/// <summary>The little of a workflow file that its examples use: environments, and steps that run something.</summary>
/// <param name="Environment">All variables that it sets.</param>
/// <param name="Runs">The steps' scripts, in order.</param>
internal sealed partial record WorkflowSteps(IReadOnlyList<KeyValuePair<string, string?>> Environment, IReadOnlyList<string> Runs)
{
    /// <summary>Reads one; fails for what it does not know rather than leave it out.</summary>
    public static WorkflowSteps Of(string workflow, IReadOnlyDictionary<string, string> values)
    {
        string[] lines = Expression().Replace(workflow, match => values.TryGetValue(match.Groups[1].Value, out string? value) ? value
            : throw new InvalidOperationException($"The test does not know what {match.Value} is.")).Split('\n');
        List<KeyValuePair<string, string?>> environment = [];
        List<string> runs = [];
        for (int i = 0; i < lines.Length; i++)
        {
            Match entry = Entry().Match(lines[i]);
            (int indent, string key, string value) = (entry.Groups[1].Length, entry.Groups[2].Value, entry.Groups[3].Value);
            switch (key)
            {
                case "env":
                    foreach (string line in Below(lines, i, indent))
                    {
                        Match variable = Entry().Match(line);
                        environment.Add(new(variable.Groups[2].Value, variable.Groups[3].Value.Trim('"', '\'')));
                    }

                    break;
                case "run":
                    runs.Add(value == "|" ? string.Join('\n', Below(lines, i, indent).Select(line => line.TrimStart())) + "\n" : value + "\n");
                    break;
                case "uses" or "shell" or "working-directory" or "with":
                    throw new InvalidOperationException($"The test cannot do what a step with \"{key}\" does.");
            }
        }

        return new WorkflowSteps(environment, runs);
    }

    private static IEnumerable<string> Below(string[] lines, int line, int indent) =>
        lines.Skip(line + 1).TakeWhile(next => next.Length > indent && string.IsNullOrWhiteSpace(next[..(indent + 1)]));

    [GeneratedRegex(@"\$\{\{\s*([\w.]+)\s*\}\}")]
    private static partial Regex Expression();

    [GeneratedRegex(@"^(\s*(?:- )?)([\w-]+):\s*(.*)$")]
    private static partial Regex Entry();
}
