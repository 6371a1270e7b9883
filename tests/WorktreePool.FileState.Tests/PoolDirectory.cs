namespace WorktreePool.FileState.Tests;

/// <summary>A pool's directory for one test. It does not exist until something is written.</summary>
internal sealed class PoolDirectory : IDisposable
{
    private readonly string _parent = Directory.CreateTempSubdirectory("wp-store-").FullName;

    public string Pool => Path.Combine(_parent, "pool");

    public string State => Path.Combine(Pool, "state");

    public string Copies => Path.Combine(Pool, "state-copy");

    public string History => Path.Combine(Pool, "history.jsonl");

    public string File(string name) => Path.Combine(State, name);

    /// <summary>The journal of one of the state's files.</summary>
    public string JournalOf(string name) => Path.Combine(Copies, Path.ChangeExtension(name, ".journal"));

    public FileSlotStateStore Open(TimeProvider? time = null) => new(Pool, time ?? TimeProvider.System);

    /// <summary>All that lies in the pool's directory, with its bytes: to see that nothing changed.</summary>
    public IReadOnlyList<string> Content() => !Directory.Exists(Pool)
        ? []
        : [.. Directory.EnumerateFileSystemEntries(Pool, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(path => Directory.Exists(path) ? path : $"{path} {Convert.ToHexString(System.IO.File.ReadAllBytes(path))}")];

    public void Dispose() => new DirectoryInfo(_parent).Delete(recursive: true);
}
