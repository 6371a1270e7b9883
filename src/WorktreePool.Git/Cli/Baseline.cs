using System.Security.Cryptography;
using System.Text.Json;
using WorktreePool.Git.Cli.Isolated;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>Takes, keeps and compares the trusted baseline of a repository.</summary>
/// <param name="repository">The repository that the slots belong to.</param>
/// <param name="poolDirectory">Where it is kept.</param>
/// <param name="slotsDirectory">Where the slots are.</param>
/// <param name="git">Git.</param>
/// <param name="sparse">What of the tree the slots have.</param>
/// <param name="origin">Where the repository comes from, when it is the pool's own: then that is what is trusted, and never what lies in the repository.</param>
internal sealed class Baseline(RepositoryLayout repository, string poolDirectory, string slotsDirectory, GitRunner git, SparseCone sparse, IsolatedOrigin? origin = null)
{
    /// <summary>Settings that change what a checkout writes. Only values the user had when trust was given are ever used.</summary>
    private static readonly string[] CheckoutSettings = ["filter.", "core.autocrlf", "core.eol", "core.safecrlf", "core.symlinks", "core.ignorecase", "core.precomposeunicode", "core.protectntfs", "lfs."];

    private static readonly string[] TransportSettings = ["credential.", "http.", "https.", "url.", "core.sshcommand", "core.gitproxy", "ssh."];

    /// <summary>The refs that are people's work, and not a copy of what a remote has.</summary>
    private static readonly string[] WatchedRefs = ["refs/heads", "refs/tags", "refs/stash", "refs/notes"];

    private readonly BaselineDocument _none = new();

    private BaselineDocument? _document;

    private string DocumentPath => Path.Combine(poolDirectory, "baseline.json");

    /// <summary>The baseline; an empty one before trust was given.</summary>
    public BaselineDocument Current => (_document ??= Load()) ?? _none;

    /// <summary>Refuses to work on a user's repository for a pool that has one of its own, before anything is touched.</summary>
    /// <exception cref="PoolConfigurationException">That is so.</exception>
    public void RefuseOtherKind()
    {
        try
        {
            _ = Current;
        }
        catch (GitBackendException)
        {
            // A damaged baseline is told of by whatever needs it.
        }
    }

    /// <summary>Whether there is one.</summary>
    public bool Exists => SafeFile.Exists(DocumentPath);

    /// <summary>Whether this ref is one that the baseline names.</summary>
    public static bool IsWatched(string name) => WatchedRefs.Any(watched => name == watched || name.StartsWith(watched + "/", StringComparison.Ordinal));

    /// <summary>Takes the present state as trusted.</summary>
    public async ValueTask<IReadOnlyList<Finding>> TakeAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<Finding> changed = File.Exists(DocumentPath) ? Compare() : [];
        BaselineDocument document = await ReadAsync(cancellationToken).ConfigureAwait(false);
        Keep(document);
        return changed;
    }

    /// <summary>Takes a document for the baseline.</summary>
    public void Keep(BaselineDocument document)
    {
        Directory.CreateDirectory(poolDirectory);
        CrashPoint.Reached("pool directory made");
        SafeFile.Write(DocumentPath, Serialize(document));
        _document = document;
    }

    /// <summary>The baseline as of now.</summary>
    public async ValueTask<BaselineDocument> ReadAsync(CancellationToken cancellationToken)
    {
        RepositoryLayout? source = origin is null ? repository : origin.FindClone();

        // The one call that reads the user's own config: a global git-lfs or credential helper is the user's, and trusted.
        var list = new GitCall("config", "--list", "-z")
        {
            Subject = (source ?? repository).CommonDirectory,
            Environment = new Dictionary<string, string>
            {
                // Without a repository git lists what counts in every one.
                ["GIT_DIR"] = source?.CommonDirectory ?? Path.Combine(poolDirectory, "none"),
                ["GIT_CONFIG_NOSYSTEM"] = "0",
                ["GIT_CONFIG_SYSTEM"] = "",
                ["GIT_CONFIG_GLOBAL"] = "",
            },
        };
        List<KeyValuePair<string, string>> settings = [.. (await git.RunAsync(list, cancellationToken).ConfigureAwait(false)).Settings];
        if (sparse.IsSparse && origin is null && !AllowsSparse(settings.LastOrDefault(setting => setting.Key == "extensions.worktreeconfig").Value))
        {
            throw new GitBackendException($"The pool is to be sparse, but {repository.CommonDirectory} has no extensions.worktreeConfig, without which no worktree can be sparse by itself. Nothing was changed. Run git -C {Path.GetDirectoryName(repository.CommonDirectory)} config extensions.worktreeConfig true, or take Sparse away.");
        }

        string? checkout = source is { IsIsolated: false } && Path.GetFileName(source.CommonDirectory) == ".git" ? Path.GetDirectoryName(source.CommonDirectory) : null;
        string[] places = [repository.CommonDirectory, poolDirectory, slotsDirectory, .. source is null ? [] : new[] { source.CommonDirectory }, .. checkout is null ? [] : new[] { checkout }];
        Dictionary<string, string> leading = TrustedFilters.FindLeading(settings, checkout, places);
        var document = new BaselineDocument
        {
            ObjectFormat = settings.LastOrDefault(setting => setting.Key == "extensions.objectformat").Value ?? "sha1",
            Remotes = settings.Where(setting => setting.Key.StartsWith("remote.", StringComparison.Ordinal) && setting.Key.EndsWith(".url", StringComparison.Ordinal))
                .GroupBy(setting => setting.Key[7..^4]).ToDictionary(group => group.Key, group => group.First().Value),
            Modules = source is null ? [] : await FindModulesAsync(source, cancellationToken).ConfigureAwait(false),
            Checkout = [.. Matching(settings, CheckoutSettings).Where(setting => !TrustedFilters.IsOf(setting.Key, leading))],
            RefusedFilters = leading,
            Transport = Matching(settings, TransportSettings),
            Refs = origin is not null ? [] : [.. (await git.RunAsync(new GitCall(["for-each-ref", "--format=%(refname)", .. WatchedRefs]) { Subject = repository.CommonDirectory, Environment = list.Environment }, cancellationToken).ConfigureAwait(false)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)],
            Files = WatchedFiles(UserConfigs),
            Config = source is null ? "" : SafeFile.TryRead(source.Config) ?? "",
        };
        return origin is null ? document : await origin.CompleteAsync(source, document, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether a value of <c>extensions.worktreeConfig</c> means yes.</summary>
    public static bool AllowsSparse(string? extension) => extension?.ToLowerInvariant() is "true" or "yes" or "on" or "1";

    public static string Serialize(BaselineDocument document) => JsonSerializer.Serialize(document, BaselineJson.Default.BaselineDocument);

    /// <summary>What differs from the baseline now.</summary>
    public IReadOnlyList<Finding> Compare()
    {
        if (Current.Files.Count == 0)
        {
            return [];
        }

        Dictionary<string, string> now = WatchedFiles(Current.Files.Keys.Where(Path.IsPathRooted));
        IReadOnlyDictionary<string, string> trusted = Current.Files;
        if (Current.Isolation is not null)
        {
            trusted = trusted.Concat(IsolatedFiles.Of(Current).Select(file => KeyValuePair.Create(file.Path, HashOf(file.Content)))).ToDictionary();
        }

        return [.. now.Keys.Union(trusted.Keys).Order(StringComparer.Ordinal)
            .Where(file => now.GetValueOrDefault(file) != trusted.GetValueOrDefault(file))
            .Select(file => new Finding(
                file == "HEAD" ? FindingIds.RefsDrift : file.StartsWith("hooks/", StringComparison.Ordinal) ? FindingIds.HooksDrift : file.StartsWith("config", StringComparison.Ordinal) || Path.IsPathRooted(file) ? FindingIds.ConfigDrift : FindingIds.InfoDrift,
                $"{file} {(!now.ContainsKey(file) ? "is gone" : trusted.ContainsKey(file) ? "has changed" : "is new")}; {Advice(file)}"))];
    }

    private string Advice(string file) => Current.Isolation is not null && !Path.IsPathRooted(file)
        ? "the next claim or release puts it back"
        : "it has no effect on the pool, but it may on whoever works in the repository. Undo it, or accept it with worktree-pool trust";

    /// <summary>The initialised submodules, and those in them, as the user's checkout has them.</summary>
    private async ValueTask<Dictionary<string, string>> FindModulesAsync(RepositoryLayout source, CancellationToken cancellationToken)
    {
        Dictionary<string, string> found = [];
        var configs = new Queue<(string File, string Prefix)>([(source.Config, "")]);
        while (configs.TryDequeue(out (string File, string Prefix) next))
        {
            if (!SafeFile.IsRealFile(next.File))
            {
                continue;
            }

            var list = new GitCall("config", "--file", next.File, "-z", "--get-regexp", "^submodule\\..*\\.url$") { Subject = source.CommonDirectory };
            foreach (KeyValuePair<string, string> setting in (await git.TryRunAsync(list, cancellationToken).ConfigureAwait(false)).Settings)
            {
                string name = setting.Key["submodule.".Length..^".url".Length];
                if (name.Split('/').All(part => part is not ("" or "." or "..")) && found.TryAdd(next.Prefix + name, setting.Value))
                {
                    configs.Enqueue((Path.Combine(source.CommonDirectory, "modules", next.Prefix + name, "config"), $"{next.Prefix}{name}/modules/"));
                }
            }
        }

        return found;
    }

    /// <summary>The configs that git reads for the user who gives trust; see git-config(1), FILES.</summary>
    private static IEnumerable<string> UserConfigs
    {
        get
        {
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            if (home.Length > 0)
            {
                yield return Path.Combine(home, ".gitconfig");
                yield return Path.Combine(Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } config ? config : Path.Combine(home, ".config"), "git", "config");
            }
        }
    }

    private Dictionary<string, string> WatchedFiles(IEnumerable<string> userConfigs)
    {
        Dictionary<string, string> files = userConfigs.ToDictionary(file => file, Hash, StringComparer.Ordinal);
        string[] names = ["config", "config.worktree", "shallow", IsolatedFiles.Alternates];
        foreach (string name in origin is null ? names : [.. names, "HEAD"])
        {
            Add(Path.Combine(repository.CommonDirectory, name));
        }

        foreach (string name in new[] { "hooks", "info", "rr-cache" })
        {
            string directory = Path.Combine(repository.CommonDirectory, name);
            if (SafeFile.IsRealDirectory(directory))
            {
                foreach (string file in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".sample", StringComparison.Ordinal)))
                {
                    Add(file);
                }
            }
        }

        return files;

        void Add(string file)
        {
            if (SafeFile.Exists(file))
            {
                files[Path.GetRelativePath(repository.CommonDirectory, file)] = Hash(file);
            }
        }

        static string Hash(string file) => SafeFile.Exists(file) ? HashOf(SafeFile.TryRead(file) ?? "a link, or unreadable") : "";
    }

    private static string HashOf(string content) => Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(content)));

    private BaselineDocument? Load()
    {
        if (SafeFile.TryRead(DocumentPath) is not { } text)
        {
            return null;
        }

        try
        {
            BaselineDocument? document = JsonSerializer.Deserialize(text, BaselineJson.Default.BaselineDocument);
            if (document is { Isolation: not null } && origin is null)
            {
                throw new PoolConfigurationException(
                    $"The pool in {poolDirectory} has a repository of its own, and Isolated is false. Nothing was changed. Set Isolated, or make a pool over the user's repository in another directory.");
            }

            return document is not { Schema: > BaselineDocument.NewestSchema } ? document : throw new GitBackendException(
                $"The trusted baseline {DocumentPath} was written by a newer version of WorktreePool: it has schema {document.Schema}, and this version reads {BaselineDocument.NewestSchema}. No slot was touched. Use the newer version for this pool everywhere.");
        }
        catch (JsonException e)
        {
            throw new GitBackendException($"The trusted baseline {DocumentPath} is damaged ({e.Message}). No slot was touched. Check the repository's config and hooks, delete the file, and run worktree-pool trust.", e);
        }
    }

    private static List<KeyValuePair<string, string>> Matching(List<KeyValuePair<string, string>> settings, string[] names) =>
        [.. settings.Where(setting => names.Any(name => name.EndsWith('.') ? setting.Key.StartsWith(name, StringComparison.Ordinal) : setting.Key == name))];
}
