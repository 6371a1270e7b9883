namespace WorktreePool.Tests.Model;

/// <summary>A temporary directory whose files are in memory where the system has such a place: ten thousand steps must not wait for a disk.</summary>
internal static class MemoryDirectory
{
    private const string Shared = "/dev/shm";

    public static DirectoryInfo Create() => Directory.Exists(Shared)
        ? Directory.CreateDirectory(Path.Combine(Shared, $"worktree-pool-model-{Guid.NewGuid():N}"))
        : Directory.CreateTempSubdirectory("worktree-pool-model-");
}
