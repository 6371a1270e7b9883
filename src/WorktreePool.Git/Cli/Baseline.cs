using System.Security.Cryptography;
using System.Text.Json;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>Takes, keeps and compares the trusted baseline of a repository.</summary>
internal sealed class Baseline(RepositoryLayout repository, string poolDirectory, GitRunner git)
{
    /// <summary>Settings that change what a checkout writes. Only values the user had when trust was given are ever used.</summary>
    private static readonly string[] CheckoutSettings = ["filter.", "core.autocrlf", "core.eol", "core.safecrlf", "core.symlinks", "core.ignorecase", "core.precomposeunicode", "core.protectntfs", "lfs."];

    private static readonly string[] TransportSettings = ["credential.", "http.", "https.", "url.", "core.sshcommand", "core.gitproxy", "ssh."];

    private BaselineDocument? _document;

    private string DocumentPath => Path.Combine(poolDirectory, "baseline.json");

    /// <summary>The baseline; an empty one before trust was given.</summary>
    public BaselineDocument Current => _document ??= Load() ?? new BaselineDocument();

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
        var document = new BaselineDocument
        {
            ObjectFormat = settings.LastOrDefault(setting => setting.Key == "extensions.objectformat").Value ?? "sha1",
            Remotes = settings.Where(setting => setting.Key.StartsWith("remote.", StringComparison.Ordinal) && setting.Key.EndsWith(".url", StringComparison.Ordinal))
                .GroupBy(setting => setting.Key[7..^4]).ToDictionary(group => group.Key, group => group.First().Value),
            Checkout = Matching(settings, CheckoutSettings),
            Transport = Matching(settings, TransportSettings),
            Files = WatchedFiles(),
            Config = SafeFile.TryRead(repository.Config) ?? "",
        };
        Directory.CreateDirectory(poolDirectory);
        SafeFile.Write(DocumentPath, JsonSerializer.Serialize(document, BaselineJson.Default.BaselineDocument));
        _document = document;
        return changed;
    }

    /// <summary>What differs from the baseline now.</summary>
    public IReadOnlyList<Finding> Compare()
    {
        if (Current.Files.Count == 0)
        {
            return [];
        }

        Dictionary<string, string> now = WatchedFiles();
        return [.. now.Keys.Union(Current.Files.Keys).Order(StringComparer.Ordinal)
            .Where(file => now.GetValueOrDefault(file) != Current.Files.GetValueOrDefault(file))
            .Select(file => new Finding(
                file.StartsWith("hooks/", StringComparison.Ordinal) ? FindingIds.HooksDrift : file.StartsWith("config", StringComparison.Ordinal) ? FindingIds.ConfigDrift : FindingIds.InfoDrift,
                $"{file} {(!now.ContainsKey(file) ? "is gone" : Current.Files.ContainsKey(file) ? "has changed" : "is new")}; it has no effect on the pool, but it may on whoever works in the repository. Undo it, or accept it with worktree-pool trust"))];
    }

    private Dictionary<string, string> WatchedFiles()
    {
        Dictionary<string, string> files = [];
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
                string content = SafeFile.TryRead(file) ?? "a link, or unreadable";
                files[Path.GetRelativePath(repository.CommonDirectory, file)] = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(content)));
            }
        }
    }

    private BaselineDocument? Load()
    {
        if (SafeFile.TryRead(DocumentPath) is not { } text)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(text, BaselineJson.Default.BaselineDocument);
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
