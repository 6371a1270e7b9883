using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace WorktreePool.FileState;

/// <summary>
/// A number in the store lock's file that grows with every change of the state: as long as it stays the same, nobody need read the state again. Odd
/// while a writer is at work, and after one that died at it. It is only a hint, never brought to the disk, and worth nothing across a restart.
/// </summary>
internal static class ChangeCounter
{
    private const int Length = sizeof(long);

    /// <summary>The lock's file, to read the number; null when it cannot be told.</summary>
    public static SafeFileHandle? TryOpen(string path)
    {
        try
        {
            return UnixCalls.TryOpen(path, FileAccess.Read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>What the lock's file says, a change that is under way counted, too; 0 when it cannot be told.</summary>
    public static long Look(SafeFileHandle file)
    {
        Span<byte> bytes = stackalloc byte[Length];
        try
        {
            return RandomAccess.Read(file, bytes, 0) == Length ? BinaryPrimitives.ReadInt64LittleEndian(bytes) : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>The number; null while the state is being changed, or when it cannot be told.</summary>
    public static long? Read(string path)
    {
        using SafeFileHandle? file = TryOpen(path);
        return file is null ? null : Settled(Look(file));
    }

    /// <summary>The same, for whoever holds the lock: null means that the writer before died at work.</summary>
    public static long? ReadHeld(SafeFileHandle held) => Settled(Look(held));

    /// <summary>Whether no change is under way.</summary>
    public static bool IsSettled(long counted) => counted % 2 == 0;

    /// <summary>The number before the change that is under way, if one is.</summary>
    public static long Before(long counted) => counted & ~1L;

    /// <summary>The number after the change that is under way, or after the next one.</summary>
    public static long After(long counted) => Before(counted) + 2;

    /// <summary>Under the lock, before the first change.</summary>
    /// <param name="held">The lock's file.</param>
    /// <param name="number">From <see cref="ReadHeld"/>.</param>
    /// <returns>For <see cref="End"/>.</returns>
    public static long Begin(SafeFileHandle held, long? number)
    {
        long begun = (number ?? Look(held)) | 1;
        Write(held, begun);
        return begun;
    }

    /// <summary>Under the lock, after the last change.</summary>
    /// <param name="held">The lock's file.</param>
    /// <param name="begun">From <see cref="Begin"/>.</param>
    /// <returns>The new number.</returns>
    public static long End(SafeFileHandle held, long begun)
    {
        Write(held, begun + 1);
        return begun + 1;
    }

    private static long? Settled(long counted) => counted > 0 && IsSettled(counted) ? counted : null;

    private static void Write(SafeFileHandle file, long number)
    {
        Span<byte> bytes = stackalloc byte[Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        RandomAccess.Write(file, bytes, 0);
        CrashPoint.Reached("change counted");
    }
}
