using WorktreePool.Desync.Tests.Fixture;

namespace WorktreePool.Desync.Tests.Verification;

/// <summary>
/// Whether a slot is ready, by its own means: raw bytes, modes and links, the admin directory by a list of what may be there, and git only to list the
/// index and to walk objects, in a repository in which nobody planted anything. Shares nothing with the library's probe.
/// </summary>
internal sealed class SlotCheck(Bench bench, IReadOnlyList<string> keep)
{
    private static readonly HashSet<string> Allowed = ["HEAD", "ORIG_HEAD", "FETCH_HEAD", "COMMIT_EDITMSG", "gitdir", "commondir", "index", "logs", "refs", "modules"];

    /// <summary>Links to git directories are checked as such.</summary>
    public static string[] NotContent => [".git", "libs/sub/.git"];

    /// <summary>What is wrong with the slot for its next holder; none when it is ready at this commit.</summary>
    public async Task<List<string>> FindAsync(string commit)
    {
        List<string> wrong = [];
        if (new DirectoryInfo(bench.Slot) is not { Exists: true, LinkTarget: null })
        {
            return ["the slot is no real directory"];
        }

        string link = Path.Combine(bench.Slot, ".git");
        string? named = new FileInfo(link) is { Exists: true, LinkTarget: null } ? File.ReadAllText(link) : null;
        string admin = named?.StartsWith("gitdir: ", StringComparison.Ordinal) == true ? named[8..].TrimEnd('\n') : "";
        if (WithoutLink(Path.GetDirectoryName(admin)) != WithoutLink(Path.Combine(bench.Common, "worktrees")) || admin == bench.SiblingAdmin || new DirectoryInfo(admin) is not { Exists: true, LinkTarget: null })
        {
            wrong.Add($".git names \"{admin}\"");
        }
        else
        {
            CheckAdmin(admin, commit, wrong);
            await CheckIndexAsync(admin, commit, wrong);
        }

        await CheckFilesAsync(commit, wrong);
        return wrong;
    }

    /// <summary>What goes wrong for somebody who works in the slot.</summary>
    public async Task<List<string>> UseAsync()
    {
        List<string> wrong = [];
        (int code, string status) = await bench.Shell.TryStartAsync("git", "-C", bench.Slot, "status", "--porcelain", "--ignored", "-uall");
        if (code != 0 || (status.Length > 0 && keep.Count == 0))
        {
            wrong.Add($"git status says {status}");
        }

        (_, string told) = await bench.Shell.TryStartAsync("git", "-C", bench.Slot, "status");
        if (told.Contains("in progress", StringComparison.Ordinal) || told.Contains("You are currently", StringComparison.Ordinal))
        {
            wrong.Add($"an operation is in progress: {told}");
        }

        (code, string output) = await bench.Shell.TryRunAsync(
            "cd $SLOT; h=$(git rev-parse HEAD); git switch -q -c probe-x; echo x > probe.txt; git add probe.txt; git commit -qm probe -a; git checkout -q --detach $h; git branch -qD probe-x");
        if (code != 0)
        {
            wrong.Add($"a commit on a branch fails: {output}");
        }

        return wrong;
    }

    private static void CheckAdmin(string admin, string commit, List<string> wrong)
    {
        Expect("HEAD", commit);
        foreach (string name in Directory.EnumerateFileSystemEntries(admin).Select(path => Path.GetFileName(path)))
        {
            if (!Allowed.Contains(name))
            {
                wrong.Add($"the admin directory has {name}");
            }
        }

        foreach (FileSystemInfo entry in new DirectoryInfo(admin).EnumerateFileSystemInfos("*", SearchOption.AllDirectories))
        {
            string path = Path.GetRelativePath(admin, entry.FullName);
            if (entry.LinkTarget is not null || path.EndsWith(".lock", StringComparison.Ordinal) || path.StartsWith("refs/", StringComparison.Ordinal))
            {
                wrong.Add($"the admin directory has {path}{(entry.LinkTarget is { } target ? $", a link to {target}" : "")}");
            }
        }

        if ((File.GetUnixFileMode(admin) & UnixFileMode.UserWrite) == 0)
        {
            wrong.Add("the admin directory is not writable");
        }

        void Expect(string name, string content)
        {
            string path = Path.Combine(admin, name);
            if (!File.Exists(path) || File.ReadAllText(path).TrimEnd('\n') != content)
            {
                wrong.Add($"{name} is {(File.Exists(path) ? $"\"{File.ReadAllText(path)}\"" : "missing")}, not {content}");
            }
        }
    }

    /// <summary>A repository that was moved is reached through a link.</summary>
    private string? WithoutLink(string? path) => new DirectoryInfo(bench.Repository).LinkTarget is { } target ? path?.Replace(bench.Repository + "/", target + "/", StringComparison.Ordinal) : path;

    private async Task CheckIndexAsync(string admin, string commit, List<string> wrong)
    {
        if (Text("gitdir") != Path.Combine(bench.Slot, ".git") || WithoutLink(Path.GetFullPath(Text("commondir") ?? "/", admin)) != WithoutLink(bench.Common))
        {
            wrong.Add("gitdir or commondir does not point back");
        }

        string index = Path.Combine(admin, "index");
        if (!File.Exists(index))
        {
            wrong.Add("there is no index");
            return;
        }

        (int code, string listed) = await GitAsync("ls-files", "-v", "-z");
        string[] odd = [.. listed.Split('\0').Where(line => line.Length > 0 && !line.StartsWith("H ", StringComparison.Ordinal))];
        if (code != 0 || odd.Length > 0)
        {
            wrong.Add($"the index is not plain: {string.Join(", ", odd)}");
        }

        (int written, string tree) = await GitAsync("write-tree");
        (_, string wanted) = await bench.Shell.TryStartAsync("git", "-C", bench.Origin, "rev-parse", commit + "^{tree}");
        if (written != 0 || tree != wanted)
        {
            wrong.Add($"the index is the tree {tree.Trim()}, not {wanted.Trim()}");
        }

        (int connected, string complaint) = await GitAsync("fsck", "--connectivity-only", "--no-dangling", "--no-reflogs", commit);
        if (connected != 0)
        {
            wrong.Add($"objects are missing: {complaint}");
        }

        string? Text(string name) => File.Exists(Path.Combine(admin, name)) ? File.ReadAllText(Path.Combine(admin, name)).TrimEnd('\n') : null;

        Task<(int, string)> GitAsync(params string[] arguments) => bench.Shell.TryStartAsync(
            "env", ["GIT_OPTIONAL_LOCKS=0", "GIT_NO_REPLACE_OBJECTS=1", $"GIT_DIR={bench.Neutral}", $"GIT_WORK_TREE={bench.Outside}", $"GIT_INDEX_FILE={index}", "git", .. arguments]);
    }

    private async Task CheckFilesAsync(string commit, List<string> wrong)
    {
        string[] without = [.. NotContent, .. keep.Select(pattern => pattern.Trim('/'))];
        IReadOnlyDictionary<string, string> expected = await bench.ExpectedAsync(commit, without);
        SortedDictionary<string, string> present = await Manifest.ReadAsync(bench.Shell, bench.Slot, without);
        foreach (string path in expected.Keys.Union(present.Keys))
        {
            string? should = expected.GetValueOrDefault(path), now = present.GetValueOrDefault(path);
            if (should != now)
            {
                wrong.Add($"{(path.Length == 0 ? "the slot" : path)} is {now ?? "missing"}, not {should ?? "there"}");
            }
        }

        foreach (string directory in present.Where(entry => entry.Value == "d").Select(entry => Path.Combine(bench.Slot, entry.Key)))
        {
            const UnixFileMode Open = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            if (Directory.Exists(directory) && (File.GetUnixFileMode(directory) & Open) != Open)
            {
                wrong.Add($"{directory} is not writable");
            }
        }

        (_, string lending) = await bench.Shell.TryStartAsync("find", bench.Slot, "-path", $"{bench.Slot}/.git", "-prune", "-o", "(", "-type", "f", "-links", "+1", "-o", "(", "-type", "f", "-o", "-type", "d", ")", "-perm", "/7000", ")", "-print");
        wrong.AddRange(lending.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(_ => keep.Count == 0).Select(path => $"{path} lends rights, or has a second name"));

        if (bench.Current.HasSubmodule && !File.Exists(Path.Combine(bench.Slot, "libs/sub/.git")))
        {
            wrong.Add("the submodule has no .git");
        }
    }
}
