using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// A packed-refs that a crash cut off in the middle of a line makes every git in the repository fail. It is saved aside, and its whole lines
/// are put back: a lost ref is in the saved file and in a finding, and all others work again.
/// </summary>
internal static partial class PackedRefs
{
    /// <summary>How a saved file's name begins, beside packed-refs.</summary>
    public const string Saved = "packed-refs.worktree-pool-saved-";

    /// <summary>Mends it; false when there is nothing to mend.</summary>
    public static bool TryMend(RepositoryLayout repository)
    {
        string path = Path.Combine(repository.CommonDirectory, "packed-refs");
        if (!SafeFile.IsRealFile(path))
        {
            return false;
        }

        // A byte is a character: names need not be UTF-8.
        byte[] present = File.ReadAllBytes(path);
        byte[] whole = Encoding.Latin1.GetBytes(string.Concat(WholeLine().Matches(Encoding.Latin1.GetString(present)).Select(line => line.Value)));
        if (whole.Length == present.Length)
        {
            return false;
        }

        SafeFile.Write(Path.Combine(repository.CommonDirectory, Saved + Convert.ToHexStringLower(SHA256.HashData(present))[..12]), present);
        SafeFile.Write(path, whole);
        return true;
    }

    /// <summary>The header, or a ref with the line that says what its tag stands for; see gitrepository-layout(5).</summary>
    [GeneratedRegex(@"^(#[^\n]*\n|[0-9a-f]{40,64} refs/[^\n]+\n(\^[0-9a-f]{40,64}\n)?)", RegexOptions.Multiline)]
    private static partial Regex WholeLine();
}
