using System.Text;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>Reads a ref from its file or from packed-refs (gitrepository-layout(5)), without opening the repository.</summary>
internal static class PlainRefs
{
    private const int IdLength = 40;

    /// <summary>The id a ref holds; null when it is symbolic, missing, kept in another way, or anything else than the plain case.</summary>
    /// <param name="commonDirectory">The common git directory.</param>
    /// <param name="reference">A full refname.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static string? TryRead(string commonDirectory, string reference)
    {
        if (!reference.StartsWith("refs/", StringComparison.Ordinal) || reference.Split('/').Any(part => part is "" or "." or ".."))
        {
            return null;
        }

        string loose = Path.Combine(commonDirectory, reference);
        if (SafeFile.Exists(loose))
        {
            return SafeFile.TryRead(loose)?.TrimEnd('\n') is { } id && IsId(id) ? id : null;
        }

        string packed = Path.Combine(commonDirectory, "packed-refs");
        if (!SafeFile.IsRealFile(packed))
        {
            return null;
        }

        ReadOnlySpan<byte> all = File.ReadAllBytes(packed);
        int at = all.IndexOf(Encoding.UTF8.GetBytes($" {reference}\n"));
        return at == IdLength || (at > IdLength && all[at - IdLength - 1] == '\n')
            ? Encoding.ASCII.GetString(all.Slice(at - IdLength, IdLength)) is var found && IsId(found) ? found : null
            : null;
    }

    /// <summary>Whether a text is an object's full id as git writes it, of SHA-1.</summary>
    public static bool IsId(string text) => text.Length == IdLength && text.All(char.IsAsciiHexDigitLower);
}
