using System.Text.RegularExpressions;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Writes the files of a directory, as they lie there, to the repository's objects as a tree. Ignored files are left out. Independent of the
/// directory's own index and git directory, which may be damaged or lie.
/// </summary>
internal sealed partial class FileSnapshot(WorktreeGit git, long limit)
{
    /// <summary>Stands for each byte of a name that is no UTF-8.</summary>
    private const char Unreadable = '\uFFFD';

    private const string Ignored = "Ignoring path ";

    /// <summary>What lies in a slot or another directory besides what an index already knows.</summary>
    /// <param name="Files">Paths to be written or, where nothing is there, to be taken out.</param>
    /// <param name="Repositories">Directories that are repositories of their own.</param>
    /// <param name="Unreachable">Directories too deep for any path to name what is in them.</param>
    public sealed record Changes(List<string> Files, List<string> Repositories, List<string> Unreachable);

    /// <summary>What differs from an index, by file status, and what is not in it.</summary>
    /// <param name="tree">The directory.</param>
    /// <param name="index">The index.</param>
    /// <param name="made">Patterns of untracked paths that are nobody's work.</param>
    /// <param name="cancellationToken">Ends the look.</param>
    public async ValueTask<Changes> FindAsync(GitWorktree tree, string index, IReadOnlyList<string> made, CancellationToken cancellationToken)
    {
        GitFiles.RemoveHolding(tree.Path, cancellationToken);

        // What is mounted here is not the slot's: it goes nowhere.
        List<string> mounts = [.. Mounts.AtOrBelow(tree.Path).Where(mount => mount != tree.Path).Select(mount => mount[(tree.Path.Length + 1)..])];

        // Of its many pattern characters git shall take only those that ours have for such.
        string[] arguments = ["ls-files", "-d", "-o", "--exclude-standard", "-z", .. made.Select(pattern => "--exclude=" + NotOurs().Replace(pattern, @"\$0")), .. mounts.Select(mount => "--exclude=/" + Special().Replace(mount, @"\$0"))];

        // Not by ls-files -m: that one looks for attributes, and waits at pipes, behind a link in the place of a directory, wherever it leads.
        Task<GitResult> listing = git.TryRunAsideAsync(tree, index, cancellationToken, arguments).AsTask();
        Task<GitResult> refreshing = git.TryRunAsideAsync(tree, index, cancellationToken, "update-index", "-q", "--refresh").AsTask();
        await Task.WhenAll(listing, refreshing).ConfigureAwait(false);
        GitResult listed = await listing.ConfigureAwait(false);
        if (!listed.Succeeded || listed.Error.Length > 0)
        {
            // Files or directories closed to us are ours to open: they are about to be cleaned anyway.
            TreeRemoval.MakeAccessible(tree.Path);
            listed = await git.RunAsideAsync(tree, index, cancellationToken, arguments).ConfigureAwait(false);
        }

        GitResult changed = await git.RunAsideAsync(tree, index, cancellationToken, "diff-files", "--name-only", "--ignore-submodules=dirty", "-z").ConfigureAwait(false);
        HashSet<string> unreachable = new(StringComparer.Ordinal);
        var isMade = new KeepPatterns(made);
        List<string> repositories = await FindRepositoriesAsync(tree, index, path => mounts.Contains(path) || isMade.Keeps(path, isDirectory: true), unreachable, cancellationToken).ConfigureAwait(false);
        List<string> others = [.. repositories, .. unreachable, .. mounts];
        return new Changes(
            [.. listed.Fields.Union(changed.Fields).Where(path => !path.EndsWith('/') && !others.Exists(other => path == other || path.StartsWith(other + "/", StringComparison.Ordinal)))],
            repositories,
            [.. unreachable]);
    }

    /// <summary>In an index just made, says of all files that a sparse pool's slots do not have, and that are not there, that they need not be.</summary>
    public async ValueTask HideAsync(GitWorktree tree, string index, CancellationToken cancellationToken)
    {
        GitResult listed = await git.RunAsideAsync(tree, index, cancellationToken, "ls-files", "-z").ConfigureAwait(false);
        List<string> hidden = [.. listed.Fields.Where(path => !git.Sparse.Includes(path) && !SafeFile.Exists(Path.Combine(tree.Path, path)))];
        GitResult updated = await UpdateAsync(tree, index, hidden, cancellationToken, "update-index", "--skip-worktree", "-z", "--stdin").ConfigureAwait(false);
        if (!updated.Succeeded)
        {
            throw new GitBackendException($"The work in {tree.Path} could not be kept: {updated.Error.Trim().ReplaceLineEndings(" / ")}. Nothing was destroyed.");
        }
    }

    /// <summary>Takes files into an index, and their content into the repository's objects.</summary>
    /// <returns>The files that could not be read, or that git does not take.</returns>
    /// <exception cref="GitBackendException">There is more than may be kept.</exception>
    public async ValueTask<List<string>> AddAsync(GitWorktree tree, string index, IReadOnlyCollection<string> files, CancellationToken cancellationToken)
    {
        if (files.Count == 0)
        {
            return [];
        }

        var paths = new RealPaths(tree.Path);
        long size = files.Where(paths.IsOwn).Sum(file => new FileInfo(Path.Combine(tree.Path, file)) is { Exists: true, LinkTarget: null } info ? info.Length : 0);
        if (size > limit)
        {
            throw new GitBackendException(
                $"{tree.Path} holds {size} bytes of uncommitted work in {files.Count} files, more than RescueLimit ({limit} bytes) lets the pool keep. Nothing was destroyed. Commit or remove what is not needed, or raise RescueLimit.");
        }

        List<string> odd = [.. files.Where(file => file.Contains(Unreadable, StringComparison.Ordinal))];
        List<string> present = [.. files.Except(odd).Where(file => paths.IsOwn(file) && IsPresent(Path.Combine(tree.Path, file)))];
        List<string> gone = [.. files.Except(odd).Except(present)];

        // First out, then in: a file may stand where a directory was, and the other way round.
        await UpdateAsync(tree, index, gone, cancellationToken, "update-index", "--force-remove", "-z", "--stdin").ConfigureAwait(false);
        List<string> unkept = await AddPresentAsync(tree, index, present, cancellationToken).ConfigureAwait(false);
        if (odd.Count > 0)
        {
            // A name that is no UTF-8 cannot be passed on; what stands for its odd bytes here is any byte there.
            IEnumerable<string> patterns = odd.Select(file => ":(top,glob)" + Special().Replace(file, @"\$0").Replace(Unreadable, '*')).Distinct();
            await UpdateAsync(tree, index, [.. patterns], cancellationToken, "add", "-A", "--sparse", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul").ConfigureAwait(false);
        }

        return unkept;
    }

    private async ValueTask<List<string>> AddPresentAsync(GitWorktree tree, string index, List<string> files, CancellationToken cancellationToken)
    {
        string[] arguments = ["update-index", "--add", "--replace", "-z", "--stdin"];
        GitResult added = await UpdateAsync(tree, index, files, cancellationToken, arguments).ConfigureAwait(false);
        if (added.Succeeded)
        {
            return IgnoredAmong(files, added);
        }

        TreeRemoval.MakeAccessible(tree.Path);
        List<string> unkept = [.. files.Where(file => !IsReadable(Path.Combine(tree.Path, file)))];
        while (true)
        {
            added = await UpdateAsync(tree, index, [.. files.Except(unkept)], cancellationToken, arguments).ConfigureAwait(false);
            if (added.Succeeded)
            {
                return [.. unkept, .. IgnoredAmong(files, added)];
            }

            // Git ends at some files, and says at which one.
            if (Refused().Match(added.Error) is not { Success: true } refused || !files.Contains(refused.Groups[1].Value) || unkept.Contains(refused.Groups[1].Value))
            {
                throw new GitBackendException($"The work in {tree.Path} could not be kept: {added.Error.Trim().ReplaceLineEndings(" / ")}. Nothing was destroyed.");
            }

            unkept.Add(refused.Groups[1].Value);
        }
    }

    /// <summary>Git passes names by that could be taken for its own, such as .GIT, and calls that a success.</summary>
    private static List<string> IgnoredAmong(List<string> files, GitResult added) => added.Error.Contains(Ignored, StringComparison.Ordinal)
        ? [.. files.Where(file => added.Error.Contains($"{Ignored}{file}\n", StringComparison.Ordinal))]
        : [];

    /// <summary>Whether there is a file or a link. Nothing of a pipe or a socket can be kept.</summary>
    public static bool IsPresent(string path) => SafeFile.IsRealFile(path) || new FileInfo(path).LinkTarget is not null;

    /// <summary>The directories that are repositories of their own and not ignored. An own walk: git does not list one in a tracked directory.</summary>
    private async ValueTask<List<string>> FindRepositoriesAsync(GitWorktree tree, string index, Func<string, bool> isPassedBy, HashSet<string> unreachable, CancellationToken cancellationToken)
    {
        List<string> found = [];
        Visit(tree.Path, "");
        if (found.Count > 0)
        {
            GitResult ignored = await git.TryRunAsideAsync(tree, index, string.Concat(found.Select(path => path + "\0")), cancellationToken, "check-ignore", "-z", "--stdin").ConfigureAwait(false);
            found.RemoveAll(ignored.Fields.Contains);
        }

        return found;

        string[] ChildrenOf(string directory, string prefix)
        {
            try
            {
                return Directory.GetDirectories(directory, "*", OwnDirectories);
            }
            catch (UnauthorizedAccessException)
            {
                TreeRemoval.MakeAccessible(directory);
                return Directory.GetDirectories(directory, "*", OwnDirectories);
            }
            catch (PathTooLongException)
            {
                unreachable.Add(Shorten(prefix.TrimEnd('/')));
                return [];
            }
            catch (DirectoryNotFoundException)
            {
                // A name that is no UTF-8: nobody gets there by this path.
                return [];
            }
        }

        void Visit(string directory, string prefix)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (string child in ChildrenOf(directory, prefix))
            {
                string path = prefix + Path.GetFileName(child);
                if (isPassedBy(path))
                {
                    continue;
                }

                if (SafeFile.Exists(Path.Combine(child, ".git")))
                {
                    found.Add(path);
                }
                else if (path != ".git")
                {
                    Visit(child, path + "/");
                }
            }
        }
    }

    /// <summary>As much of a path as can surely be named and moved; what git tracks is not so deep.</summary>
    private static string Shorten(string path)
    {
        const int Sure = 512;
        return path.Length <= Sure ? path : path[..path.IndexOf('/', Sure)];
    }

    private static readonly EnumerationOptions OwnDirectories = new() { AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };

    private ValueTask<GitResult> UpdateAsync(GitWorktree tree, string index, List<string> paths, CancellationToken cancellationToken, params string[] arguments) => paths.Count == 0
        ? ValueTask.FromResult(new GitResult(0, "", ""))
        : git.TryRunAsideAsync(tree, index, string.Concat(paths.Select(path => path + "\0")), cancellationToken, arguments);

    [GeneratedRegex(@"Unable to process path (.+)$", RegexOptions.Multiline)]
    private static partial Regex Refused();

    [GeneratedRegex(@"[*?\[\\]")]
    private static partial Regex Special();

    [GeneratedRegex(@"[\[\\]")]
    private static partial Regex NotOurs();

    private static bool IsReadable(string path)
    {
        try
        {
            if (SafeFile.IsRealFile(path))
            {
                using FileStream file = File.OpenRead(path);
            }

            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}
