using System.Text;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>
/// Where an isolated pool's repository comes from: the user's clone, if there is one, and the remote. Both are read only when the pool is made or
/// its user says "trust"; whoever writes into the clone in between changes nothing here.
/// </summary>
internal sealed class IsolatedOrigin(WorktreePoolOptions options, RemoteRefs refs, GitRunner git)
{
    /// <summary>The name of the remote, whatever the user's clone calls it.</summary>
    public const string RemoteName = "origin";

    /// <summary>
    /// What the clone's own config (not the user's, which counts in every repository) says about people, programs and ways of working, and what
    /// a clone of the clone would therefore be missed in. Branches, hooks and includes stay behind.
    /// </summary>
    private static readonly string[] Copied =
    [
        "author.", "committer.", "user.", "commit.", "gpg.", "tag.", "push.", "pull.", "rebase.", "merge.", "diff.", "rerere.",
        "credential.", "http.", "https.", "url.", "ssh.", "filter.", "lfs.",
        "core.sshcommand", "core.gitproxy", "core.autocrlf", "core.eol", "core.safecrlf", "core.symlinks", "core.filemode", "core.ignorecase", "core.precomposeunicode", "core.protectntfs",
    ];

    /// <summary>The user's clone; null when the pool is made from a remote alone.</summary>
    /// <exception cref="GitBackendException">There is none where the settings say.</exception>
    public RepositoryLayout? FindClone() => options.RepositoryPath.Length > 0 ? RepositoryLayout.Find(options.RepositoryPath, mayBeBare: true) : null;

    /// <summary>The user's clone as long as it is where the settings say.</summary>
    public RepositoryLayout? TryFindClone()
    {
        try
        {
            return FindClone();
        }
        catch (GitBackendException)
        {
            return null;
        }
    }

    /// <summary>The remote that the settings name; null when the clone says which.</summary>
    public string? Remote => options.Remote;

    /// <summary>Makes of what was read in the clone the baseline of a repository of the pool's own.</summary>
    /// <param name="clone">The clone; null for none.</param>
    /// <param name="read">What its baseline would be.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public async ValueTask<BaselineDocument> CompleteAsync(RepositoryLayout? clone, BaselineDocument read, CancellationToken cancellationToken)
    {
        List<KeyValuePair<string, string>> own = clone is null ? [] : await ReadOwnAsync(clone, cancellationToken).ConfigureAwait(false);
        string? name = read.Remotes.ContainsKey(RemoteName) ? RemoteName : read.Remotes.Keys.Order(StringComparer.Ordinal).FirstOrDefault();
        string remote = Remote
            ?? (name is not null ? clone!.AbsoluteUrl(read.Remotes[name]) : clone!.Checkout);
        string? pushed = Remote is null && name is not null ? own.LastOrDefault(setting => setting.Key == $"remote.{name}.pushurl").Value : null;
        if (clone is null && await refs.IsSha256Async(remote, read, cancellationToken).ConfigureAwait(false))
        {
            read = read with { ObjectFormat = "sha256" };
        }

        var isolation = new IsolationDocument { Remote = remote, IsSparse = options.Sparse.Count > 0, Borrowed = clone is not null && remote != clone.Checkout && CanLend(clone, own) ? clone.Objects : null };
        return read with
        {
            Isolation = isolation,
            Remotes = new Dictionary<string, string> { [RemoteName] = remote },
            Config = WriteConfig(read.ObjectFormat, remote, pushed, options.Sparse.Count > 0, own),
            Refs = [],
            Files = read.Files.Where(file => Path.IsPathRooted(file.Key)).ToDictionary(),
        };
    }

    /// <summary>The settings in the clone's own config file, those it includes among them.</summary>
    private async ValueTask<List<KeyValuePair<string, string>>> ReadOwnAsync(RepositoryLayout clone, CancellationToken cancellationToken)
    {
        var list = new GitCall("config", "--file", clone.Config, "--includes", "--list", "-z") { Subject = clone.CommonDirectory };
        return [.. (await git.RunAsync(list, cancellationToken).ConfigureAwait(false)).Settings];
    }

    /// <summary>What lacks objects cannot lend them, nor what git could not name: then the remote is fetched in whole.</summary>
    private static bool CanLend(RepositoryLayout clone, List<KeyValuePair<string, string>> own) =>
        !SafeFile.Exists(Path.Combine(clone.CommonDirectory, "shallow")) && !clone.Objects.Contains('\n', StringComparison.Ordinal)
        && !own.Any(setting => setting.Key == "extensions.partialclone" || (setting.Key.StartsWith("remote.", StringComparison.Ordinal) && setting.Key.EndsWith(".promisor", StringComparison.Ordinal)));

    private static string WriteConfig(string objectFormat, string remote, string? pushed, bool isSparse, List<KeyValuePair<string, string>> own)
    {
        bool isSha1 = objectFormat == "sha1";
        List<KeyValuePair<string, string>> settings = [new("core.repositoryformatversion", isSha1 ? "0" : "1")];
        if (!isSha1)
        {
            settings.Add(new("extensions.objectformat", objectFormat));
        }

        settings.AddRange(HermeticSettings.Checkout.Where(setting => !own.Exists(said => said.Key.Equals(setting.Key, StringComparison.OrdinalIgnoreCase))));
        settings.AddRange(own.Where(setting => Copied.Any(name => name.EndsWith('.') ? setting.Key.StartsWith(name, StringComparison.Ordinal) : setting.Key == name)));
        if (isSparse)
        {
            // Each worktree has a config of its own then, and what is bare is said in the repository's: see git-worktree(1), CONFIGURATION FILE.
            settings.Add(new("extensions.worktreeConfig", "true"));
        }
        else
        {
            settings.Add(new("core.bare", "true"));
        }

        settings.Add(new($"remote.{RemoteName}.url", remote));
        if (pushed is not null)
        {
            settings.Add(new($"remote.{RemoteName}.pushurl", pushed));
        }

        settings.Add(new($"remote.{RemoteName}.fetch", $"+refs/heads/*:refs/remotes/{RemoteName}/*"));
        var config = new StringBuilder("# Written by WorktreePool; changes are undone at the next claim or release.\n");
        foreach (KeyValuePair<string, string> setting in settings)
        {
            config.AppendSetting(setting);
        }

        return config.ToString();
    }
}
