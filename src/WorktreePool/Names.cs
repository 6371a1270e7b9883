using System.Buffers;

namespace WorktreePool;

/// <summary>Which keys, branches and slot names are usable. Checked before anything is touched.</summary>
internal static class Names
{
    /// <summary>Long enough for any ticket id, short enough for a message and a metric.</summary>
    public const int LongestKey = 200;

    private static readonly SearchValues<char> BadInBranch = SearchValues.Create(" ~^:?*[\\");

    /// <summary>The name of slot number <paramref name="number"/>.</summary>
    public static string Slot(int number) => $"slot-{number}";

    /// <summary>The number in a slot's name, or -1.</summary>
    public static int Number(string slot) =>
        slot.StartsWith("slot-", StringComparison.Ordinal) && int.TryParse(slot.AsSpan(5), System.Globalization.NumberStyles.None, null, out int number) ? number : -1;

    /// <summary>What is wrong with a key; null when nothing is.</summary>
    public static string? WhyNotKey(string? key)
    {
        if (string.IsNullOrWhiteSpace(key))
        {
            return "The key is empty. Give what the claim is for, for example MC-4683.";
        }

        if (key.Length > LongestKey)
        {
            return $"The key has {key.Length} characters; at most {LongestKey} are allowed. It begins \"{key[..20]}\".";
        }

        return key.Any(char.IsControl) ? "The key has a control character (a newline, a tab, …). Use printable characters only." : null;
    }

    /// <summary>What is wrong with a dispatcher's name; null when nothing is.</summary>
    public static string? WhyNotGate(string? name) => string.IsNullOrWhiteSpace(name) || name.Length > LongestKey || name.Any(char.IsControl)
        ? $"A dispatcher's name has 1 to {LongestKey} characters and no control character. Use the same name wherever the same work is dispatched, for example \"tickets\"."
        : null;

    /// <summary>What is wrong with a branch name, by the rules of <c>git check-ref-format --branch</c>; null when nothing is.</summary>
    public static string? WhyNotBranch(string branch)
    {
        bool bad = branch.Length is 0 or > 240
            || branch[0] is '-' or '/' || branch[^1] is '/' or '.' || branch is "@" or "HEAD"
            || branch.Contains("..", StringComparison.Ordinal) || branch.Contains("//", StringComparison.Ordinal) || branch.Contains("@{", StringComparison.Ordinal)
            || branch.AsSpan().IndexOfAny(BadInBranch) >= 0 || branch.Any(char.IsControl)
            || branch.Split('/').Any(part => part.StartsWith('.') || part.EndsWith(".lock", StringComparison.Ordinal))
            || branch.StartsWith("refs/", StringComparison.Ordinal);
        return bad ? $"Git does not accept \"{branch}\" as the name of a branch (see git check-ref-format). Give a short name such as cr/mc-4683." : null;
    }
}
