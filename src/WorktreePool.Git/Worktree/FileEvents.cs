namespace WorktreePool.Git.Worktree;

/// <summary>Tells what has happened to files and directories since they were added: the seam to the kernel's notification.</summary>
internal interface IFileEvents : IDisposable
{
    /// <inheritdoc cref="Inotify.Add"/>
    int Add(ReadOnlySpan<byte> path, FileChange what);

    /// <inheritdoc cref="Inotify.Read()"/>
    IEnumerable<FileEvent> Read();
}

/// <summary>What the kernel of Linux tells; see <see cref="UnixFiles.IsSupported"/>.</summary>
internal sealed class KernelEvents : IFileEvents
{
    private readonly Inotify _queue = new();

    public int Add(ReadOnlySpan<byte> path, FileChange what) => _queue.Add(path, what);

    public IEnumerable<FileEvent> Read() => _queue.Read();

    public void Dispose() => _queue.Dispose();
}
