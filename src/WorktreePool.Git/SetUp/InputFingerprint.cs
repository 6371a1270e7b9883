using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.SetUp;

/// <summary>A digest of a step's definition and its input files: their paths, kinds, modes and contents. Whatever changes it makes the step run again.</summary>
internal static class InputFingerprint
{
    /// <summary>Grows when the form changes, so that old digests do not count.</summary>
    private const string Form = "1";

    public static string Of(string root, SetUpStep step, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, Form, step.Name);
        AddAll(hash, step.Command);
        AddAll(hash, step.Inputs);
        AddAll(hash, step.Makes);
        AddAll(hash, step.Environment.OrderBy(variable => variable.Key, StringComparer.Ordinal).SelectMany(variable => new[] { variable.Key, variable.Value }).ToList());
        foreach (string path in PatternMatches.Find(root, step.Inputs))
        {
            AddEntry(hash, root, path, cancellationToken);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void AddEntry(IncrementalHash hash, string root, string path, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string full = Path.Combine(root, path);
        if (SafeFile.IsRealDirectory(full))
        {
            foreach (string child in PatternMatches.Find(root, [$"/{path}/*"]))
            {
                AddEntry(hash, root, child, cancellationToken);
            }
        }
        else if (new FileInfo(full).LinkTarget is { } target)
        {
            Add(hash, "link", path, target);
        }
        else if (SafeFile.IsRealFile(full))
        {
            Add(hash, IsExecutable(full) ? "program" : "file", path, SafeFile.Hash(full) ?? throw new IOException($"{path} cannot be read."));
        }
    }

    private static bool IsExecutable(string path) => !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & UnixFileMode.UserExecute) != 0;

    /// <summary>With the number first, so that no two lists read the same.</summary>
    private static void AddAll(IncrementalHash hash, ICollection<string> texts) => Add(hash, [texts.Count.ToString(CultureInfo.InvariantCulture), .. texts]);

    private static void Add(IncrementalHash hash, params IEnumerable<string> texts)
    {
        foreach (string text in texts)
        {
            // No text here has a zero in it: arguments, variables and paths end at one.
            hash.AppendData(Encoding.UTF8.GetBytes(text + "\0"));
        }
    }
}
