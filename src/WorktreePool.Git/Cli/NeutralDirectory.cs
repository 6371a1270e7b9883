using System.Text;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// A git common directory of the pool's own, which git is given in place of the repository's whenever it works on a slot: objects and the
/// slot's admin directory are the real ones, but config, hooks, info and refs are ours. So whatever was planted in the shared repository,
/// including a config that git cannot parse, does not exist for these calls.
/// </summary>
internal sealed class NeutralDirectory(string poolDirectory, Baseline baseline, TrustedIndex trusted)
{
    private BaselineDocument? _written;

    /// <summary>The program of git-lfs's filters.</summary>
    public const string Lfs = "git-lfs";

    public string DirectoryPath { get; } = Path.Combine(poolDirectory, "neutral.git");

    /// <summary>The environment of a call on a worktree.</summary>
    /// <param name="directory">Its git directory; null for calls that need only objects.</param>
    /// <param name="files">Where its files are; null for none.</param>
    /// <param name="objects">The object directory.</param>
    public Dictionary<string, string> EnvironmentFor(string? directory, string? files, string objects)
    {
        Prepare();
        var environment = new Dictionary<string, string>
        {
            ["GIT_DIR"] = directory ?? DirectoryPath,
            ["GIT_COMMON_DIR"] = DirectoryPath,
            ["GIT_OBJECT_DIRECTORY"] = objects,
        };
        if (files is not null)
        {
            environment["GIT_WORK_TREE"] = files;
            environment["GIT_CEILING_DIRECTORIES"] = Path.GetDirectoryName(files)!;
        }

        return environment;
    }

    /// <summary>Without these git takes no directory for a repository.</summary>
    private static readonly string[] Parts = ["objects", "refs"];

    /// <summary>A branch that is never made.</summary>
    private const string Head = "ref: refs/heads/none\n";

    private void Prepare()
    {
        BaselineDocument document = baseline.Current;
        if (ReferenceEquals(document, _written) && File.Exists(Path.Combine(DirectoryPath, "HEAD")))
        {
            return;
        }

        string? before = SafeFile.TryRead(Path.Combine(DirectoryPath, "config"));
        bool isSame = before == Config(document);
        if (before is not null && !isSame)
        {
            // Files written under other filters or line ends prove nothing any more.
            trusted.ForgetAll();
        }

        // A pool on a disk that cannot be written can still be looked at.
        if (!isSame || SafeFile.TryRead(Path.Combine(DirectoryPath, "HEAD")) != Head || !Parts.All(part => Directory.Exists(Path.Combine(DirectoryPath, part))))
        {
            Write(DirectoryPath);
        }

        _written = document;
    }

    /// <summary>Makes a directory a bare repository that has no settings but the hermetic ones; refs and objects in it stay.</summary>
    public void Write(string directory)
    {
        foreach (string part in Parts)
        {
            Directory.CreateDirectory(Path.Combine(directory, part));
            CrashPoint.Reached($"neutral {part} made");
        }

        SafeFile.Write(Path.Combine(directory, "config"), Config(baseline.Current));
        SafeFile.Write(Path.Combine(directory, "HEAD"), Head);
    }

    private static string Config(BaselineDocument document)
    {
        var config = new StringBuilder("# Written by WorktreePool; changes are lost.\n");
        bool isSha1 = document.ObjectFormat == "sha1";
        Append(new("core.repositoryformatversion", isSha1 ? "0" : "1"));
        Append(new("core.bare", "false"));
        if (!isSha1)
        {
            Append(new("extensions.objectformat", document.ObjectFormat));
        }

        foreach (KeyValuePair<string, string> setting in HermeticSettings.Settings.Concat(HermeticSettings.Checkout).Concat(document.Checkout))
        {
            Append(setting);
        }

        // A filter whose program is not there cannot be run by anybody; without this a required one would stop every checkout.
        if (!GitExecutable.IsOnPath(Lfs))
        {
            foreach (string key in new[] { "smudge", "clean", "process" })
            {
                Append(new($"filter.lfs.{key}", ""));
            }

            Append(new("filter.lfs.required", "false"));
        }

        return config.ToString();

        void Append(KeyValuePair<string, string> setting) => config.AppendSetting(setting);
    }
}
