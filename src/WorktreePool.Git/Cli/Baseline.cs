using System.Security.Cryptography;
using System.Text.Json;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>Takes, keeps and compares the trusted baseline of a repository.</summary>
internal sealed class Baseline(RepositoryLayout repository, string poolDirectory, GitRunner git, SparseCone sparse)
{
    /// <summary>Settings that change what a checkout writes. Only values the user had when trust was given are ever used.</summary>
    private static readonly string[] CheckoutSettings = ["filter.", "core.autocrlf", "core.eol", "core.safecrlf", "core.symlinks", "core.ignorecase", "core.precomposeunicode", "core.protectntfs", "lfs."];

    private static readonly string[] TransportSettings = ["credential.", "http.", "https.", "url.", "core.sshcommand", "core.gitproxy", "ssh."];

    /// <summary>The refs that are people's work, and not a copy of what a remote has.</summary>
    private static readonly string[] WatchedRefs = ["refs/heads", "refs/tags", "refs/stash", "refs/notes"];

    private BaselineDocument? _document;

    private string DocumentPath => Path.Combine(poolDirectory, "baseline.json");

    /// <summary>The baseline; an empty one before trust was given.</summary>
    public BaselineDocument Current => _document ??= Load() ?? new BaselineDocument();

    /// <summary>Whether this ref is one that the baseline names.</summary>
    public static bool IsWatched(string name) => WatchedRefs.Any(watched => name == watched || name.StartsWith(watched + "/", StringComparison.Ordinal));

    /// <summary>Takes the present state as trusted.</summary>
    public async ValueTask<IReadOnlyList<Finding>> TakeAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<Finding> changed = File.Exists(DocumentPath) ? Compare() : [];

        // The one call that reads the user's own config: a global git-lfs or credential helper is the user's, and trusted.
        var list = new GitCall("config", "--list", "-z")
        {
            Subject = repository.CommonDirectory,
            Environment = new Dictionary<string, string>
            {
                ["GIT_DIR"] = repository.CommonDirectory,
                ["GIT_CONFIG_NOSYSTEM"] = "0",
                ["GIT_CONFIG_SYSTEM"] = "",
                ["GIT_CONFIG_GLOBAL"] = "",
            },
        };
        List<KeyValuePair<string, string>> settings = [.. (await git.RunAsync(list, cancellationToken).ConfigureAwait(false)).Fields.Select(Parse)];
        if (sparse.IsSparse && !AllowsSparse(settings.LastOrDefault(setting => setting.Key == "extensions.worktreeconfig").Value))
        {
            throw new GitBackendException($"The pool is to be sparse, but {repository.CommonDirectory} has no extensions.worktreeConfig, without which no worktree can be sparse by itself. Nothing was changed. Run git -C {Path.GetDirectoryName(repository.CommonDirectory)} config extensions.worktreeConfig true, or take Sparse away.");
        }

        var document = new BaselineDocument
        {
            ObjectFormat = settings.LastOrDefault(setting => setting.Key == "extensions.objectformat").Value ?? "sha1",
            Remotes = settings.Where(setting => setting.Key.StartsWith("remote.", StringComparison.Ordinal) && setting.Key.EndsWith(".url", StringComparison.Ordinal))
                .GroupBy(setting => setting.Key[7..^4]).ToDictionary(group => group.Key, group => group.First().Value),
            Modules = await FindModulesAsync(cancellationToken).ConfigureAwait(false),
            Checkout = Matching(settings, CheckoutSettings),
            Transport = Matching(settings, TransportSettings),
            Refs = [.. (await git.RunAsync(new GitCall(["for-each-ref", "--format=%(refname)", .. WatchedRefs]) { Subject = repository.CommonDirectory, Environment = list.Environment }, cancellationToken).ConfigureAwait(false)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)],
            Files = WatchedFiles(UserConfigs),
            Config = SafeFile.TryRead(repository.Config) ?? "",
        };
        Directory.CreateDirectory(poolDirectory);
        CrashPoint.Reached("pool directory made");
        SafeFile.Write(DocumentPath, JsonSerializer.Serialize(document, BaselineJson.Default.BaselineDocument));
        _document = document;
        return changed;
    }

    /// <summary>Whether a value of <c>extensions.worktreeConfig</c> means yes.</summary>
    public static bool AllowsSparse(string? extension) => extension?.ToLowerInvariant() is "true" or "yes" or "on" or "1";

    /// <summary>What differs from the baseline now.</summary>
    public IReadOnlyList<Finding> Compare()
    {
        if (Current.Files.Count == 0)
        {
            return [];
        }

        Dictionary<string, string> now = WatchedFiles(Current.Files.Keys.Where(Path.IsPathRooted));
        return [.. now.Keys.Union(Current.Files.Keys).Order(StringComparer.Ordinal)
            .Where(file => now.GetValueOrDefault(file) != Current.Files.GetValueOrDefault(file))
            .Select(file => new Finding(
                file.StartsWith("hooks/", StringComparison.Ordinal) ? FindingIds.HooksDrift : file.StartsWith("config", StringComparison.Ordinal) || Path.IsPathRooted(file) ? FindingIds.ConfigDrift : FindingIds.InfoDrift,
                $"{file} {(!now.ContainsKey(file) ? "is gone" : Current.Files.ContainsKey(file) ? "has changed" : "is new")}; it has no effect on the pool, but it may on whoever works in the repository. Undo it, or accept it with worktree-pool trust"))];
    }

    /// <summary>The initialised submodules, and those in them, as the user's checkout has them.</summary>
    private async ValueTask<Dictionary<string, string>> FindModulesAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, string> found = [];
        var configs = new Queue<(string File, string Prefix)>([(repository.Config, "")]);
        while (configs.TryDequeue(out (string File, string Prefix) next))
        {
            if (!SafeFile.IsRealFile(next.File))
            {
                continue;
            }

            var list = new GitCall("config", "--file", next.File, "-z", "--get-regexp", "^submodule\\..*\\.url$") { Subject = repository.CommonDirectory };
            foreach (KeyValuePair<string, string> setting in (await git.TryRunAsync(list, cancellationToken).ConfigureAwait(false)).Fields.Select(Parse))
            {
                string name = setting.Key["submodule.".Length..^".url".Length];
                if (name.Split('/').All(part => part is not ("" or "." or "..")) && found.TryAdd(next.Prefix + name, setting.Value))
                {
                    configs.Enqueue((Path.Combine(repository.CommonDirectory, "modules", next.Prefix + name, "config"), $"{next.Prefix}{name}/modules/"));
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
        foreach (string name in new[] { "config", "config.worktree", "shallow", "objects/info/alternates" })
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

        static string Hash(string file) => SafeFile.Exists(file)
            ? Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(SafeFile.TryRead(file) ?? "a link, or unreadable")))
            : "";
    }

    private BaselineDocument? Load()
    {
        if (SafeFile.TryRead(DocumentPath) is not { } text)
        {
            return null;
        }

        try
        {
            BaselineDocument? document = JsonSerializer.Deserialize(text, BaselineJson.Default.BaselineDocument);
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

    private static KeyValuePair<string, string> Parse(string field)
    {
        int newline = field.IndexOf('\n', StringComparison.Ordinal);
        return newline < 0 ? new(field, "true") : new(field[..newline], field[(newline + 1)..]);
    }
}
