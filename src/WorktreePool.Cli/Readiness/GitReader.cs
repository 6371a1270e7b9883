using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace WorktreePool.Cli.Readiness;

/// <summary>How large one checkout is.</summary>
/// <param name="Files">Files and links.</param>
/// <param name="Directories">Directories.</param>
/// <param name="Bytes">What the files take on disk in blocks of 4 KiB.</param>
internal sealed record TreeSize(long Files, long Directories, long Bytes);

/// <summary>What git says of itself and of a repository. Only reads, by commands that run no hook and no filter.</summary>
internal sealed partial class GitReader(string repository)
{
    private const int Block = 4096;

    /// <summary>The first that can be told its settings by the environment alone, which is how the pool keeps a slot's config from running.</summary>
    private static readonly Version Oldest = new(2, 31);

    /// <summary>The version that every test is run with.</summary>
    private static readonly Version Tested = new(2, 39);

    /// <summary>What the pool, or the part of it that works without git, does not know how to read.</summary>
    private static readonly Dictionary<string, string> Extensions = new()
    {
        ["refstorage"] = "keeps refs in another form than files; a pool needs files",
        ["partialclone"] = "objects are fetched when they are first needed: every slot that is made may fetch",
        ["objectformat"] = "SHA-256: slots are examined by git itself, which is slower",
        ["relativeworktrees"] = "slots are examined by git itself, which is slower",
        ["preciousobjects"] = "objects are never deleted: git gc and repack refuse to work here",
        ["worktreeconfig"] = "each worktree may have a config of its own; the pool heals what a holder leaves there",
    };

    public async Task<Check> VersionAsync(CancellationToken cancellationToken)
    {
        const string Id = "git-version";
        (bool isThere, string output) = await RunAsync(["version"], cancellationToken);
        if (!isThere || Number().Match(output) is not { Success: true } match)
        {
            return new Check(Id, Verdict.Fails, isThere ? $"git says \"{output.Trim()}\"" : "there is no git on the PATH", $"Install git {Oldest} or newer.");
        }

        var version = Version.Parse(match.Value);
        return version < Oldest
            ? new Check(Id, Verdict.Fails, $"git {version}", $"A pool needs git {Oldest} or newer.")
            : Check.That(version >= Tested, Id, $"git {version}", Verdict.Warns, $"Older than {Tested}, the version this was tested with.");
    }

    public async Task<Check> ExtensionsAsync(CancellationToken cancellationToken)
    {
        const string Id = "git-extensions";
        (_, string output) = await RunAsync(["config", "--local", "--get-regexp", "^extensions\\."], cancellationToken);
        List<string> found = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line["extensions.".Length..])];
        if (found.Count == 0)
        {
            return new Check(Id, Verdict.Ready, "none");
        }

        IEnumerable<string> words = found.Select(line => $"{line} ({Extensions.GetValueOrDefault(line.Split(' ')[0], "not known to this version")})");
        return new Check(Id, Verdict.Warns, string.Join("; ", words), "Slots work; read what each costs.");
    }

    /// <summary>How large a slot would be that stands at a ref.</summary>
    public async Task<(Check Check, TreeSize? Size)> MeasureAsync(string reference, CancellationToken cancellationToken)
    {
        const string Id = "base";
        (bool isThere, string output) = await RunAsync(["ls-tree", "-r", "-t", "-l", "-z", "--full-tree", "--end-of-options", reference], cancellationToken);
        if (!isThere)
        {
            return (new Check(Id, Verdict.Fails, $"{reference} names no commit here", "Fetch it, or give one that exists with --base."), null);
        }

        (long files, long directories, long bytes) = (0, 0, 0);
        foreach (string[] entry in output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t', 2)[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        {
            bool isDirectory = entry[1] != "blob";
            (files, directories) = isDirectory ? (files, directories + 1) : (files + 1, directories);
            long size = long.TryParse(entry[^1], CultureInfo.InvariantCulture, out long length) ? length : 0;
            bytes += isDirectory ? Block : (size + Block - 1) / Block * Block;
        }

        return (new Check(Id, Verdict.Ready, $"{reference}: {files} files in {directories} directories, {Amount.Bytes(bytes)} on disk for each slot"), new TreeSize(files, directories, bytes));
    }

    private async Task<(bool Succeeded, string Output)> RunAsync(string[] arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("git", ["-C", Directory.Exists(repository) ? repository : Path.GetPathRoot(repository)!, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (string variable in start.Environment.Keys.Where(name => name.StartsWith("GIT_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(variable);
        }

        start.Environment["GIT_OPTIONAL_LOCKS"] = "0";
        try
        {
            using Process git = Process.Start(start)!;
            git.StandardInput.Close();
            Task<string> error = git.StandardError.ReadToEndAsync(cancellationToken);
            string output = await git.StandardOutput.ReadToEndAsync(cancellationToken);
            await error;
            await git.WaitForExitAsync(cancellationToken);
            return (git.ExitCode == 0, output);
        }
        catch (Win32Exception)
        {
            return (false, "");
        }
    }

    [GeneratedRegex(@"\d+\.\d+")]
    private static partial Regex Number();
}
