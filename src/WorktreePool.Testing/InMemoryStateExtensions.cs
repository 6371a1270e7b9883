using WorktreePool.DependencyInjection;

namespace WorktreePool.Testing;

/// <summary>Puts an <see cref="InMemorySlotStateStore"/> under a pool.</summary>
public static class InMemoryStateExtensions
{
    /// <summary>Keeps the pool's state in memory. Pools given the same <paramref name="shared"/> store behave like processes over one pool.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="shared">The store to connect to; it stays the caller's. Null: one of the pool's own.</param>
    public static WorktreePoolBuilder UseInMemory(this WorktreePoolBuilder builder, InMemorySlotStateStore? shared = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseStore((_, _) => shared?.Connect() ?? new InMemorySlotStateStore());
    }
}
