namespace WorktreePool;

/// <summary>How a system says that somebody else holds the lock on a file that was opened with <see cref="FileShare.None"/>.</summary>
internal static class LockConflict
{
    private const int EWouldBlockLinux = 11;
    private const int EWouldBlockBsd = 35;
    private const int SharingViolation = unchecked((int)0x80070020);

    public static bool Is(IOException e) => e.HResult is EWouldBlockLinux or EWouldBlockBsd or SharingViolation;
}
