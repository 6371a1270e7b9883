using System.Text;

namespace WorktreePool.Git.Cli;

/// <summary>Writes settings as git-config(1) reads them.</summary>
internal static class ConfigText
{
    /// <summary>Appends one setting, in a section of its own.</summary>
    public static StringBuilder AppendSetting(this StringBuilder config, KeyValuePair<string, string> setting)
    {
        int first = setting.Key.IndexOf('.', StringComparison.Ordinal);
        int last = setting.Key.LastIndexOf('.');
        string subsection = last > first ? $" \"{Escape(setting.Key[(first + 1)..last])}\"" : "";
        return config.Append('[').Append(setting.Key.AsSpan(0, first)).Append(subsection).Append("]\n\t")
            .Append(setting.Key.AsSpan(last + 1)).Append(" = \"").Append(Escape(setting.Value)).Append("\"\n");
    }

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
