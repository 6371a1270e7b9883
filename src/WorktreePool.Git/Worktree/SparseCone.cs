using System.Text;

namespace WorktreePool.Git.Worktree;

/// <summary>
/// The part of the tree that a sparse pool's slots have, in git's cone mode (git-sparse-checkout(1)): named directories with all below, and the
/// files that lie directly in the root and in each directory above a named one.
/// </summary>
internal sealed class SparseCone
{
    /// <summary>Everything: the pool is not sparse.</summary>
    public static readonly SparseCone Everything = new([]);

    /// <summary>What git must be told on the command line when it works on a sparse slot: the pool's own common directory says the opposite.</summary>
    private static readonly KeyValuePair<string, string>[] SettingsOfSparse = [new("core.sparseCheckout", "true"), new("core.sparseCheckoutCone", "true")];

    private readonly HashSet<string> _whole = new(StringComparer.Ordinal);
    private readonly HashSet<string> _above = new(StringComparer.Ordinal);

    public SparseCone(IEnumerable<string> directories)
    {
        _whole.UnionWith(directories.Select(directory => directory.Trim('/')));
        _whole.RemoveWhere(directory => DirectoriesAbove(directory).Any(_whole.Contains));
        _above.UnionWith(_whole.SelectMany(DirectoriesAbove));
    }

    /// <summary>Whether anything is left out at all.</summary>
    public bool IsSparse => _whole.Count > 0;

    /// <summary>Settings for git on a slot.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Settings => IsSparse ? SettingsOfSparse : [];

    /// <summary>What the slot's <c>info/sparse-checkout</c> says, as git itself writes it.</summary>
    public string Patterns
    {
        get
        {
            var text = new StringBuilder("/*\n!/*/\n");
            foreach (string directory in _above.Order(StringComparer.Ordinal))
            {
                text.Append('/').Append(directory).Append("/\n!/").Append(directory).Append("/*/\n");
            }

            foreach (string directory in _whole.Order(StringComparer.Ordinal))
            {
                text.Append('/').Append(directory).Append("/\n");
            }

            return text.ToString();
        }
    }

    /// <summary>What the slot's <c>config.worktree</c> says, so that its holder's git knows, too.</summary>
    public static string Config => "[core]\n\tsparseCheckout = true\n\tsparseCheckoutCone = true\n";

    /// <summary>Whether a slot has this tracked file.</summary>
    public bool Includes(string path)
    {
        if (!IsSparse)
        {
            return true;
        }

        int slash = path.LastIndexOf('/');
        return slash < 0 || _above.Contains(path[..slash]) || DirectoriesAbove(path).Any(_whole.Contains);
    }

    private static IEnumerable<string> DirectoriesAbove(string path)
    {
        for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
        {
            yield return path[..slash];
        }
    }
}
