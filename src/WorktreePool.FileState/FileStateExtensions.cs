using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;

namespace WorktreePool.FileState;

/// <summary>Chooses the file store for a pool.</summary>
public static class FileStateExtensions
{
    /// <summary>Keeps the pool's state as readable JSON files in <c>state</c> under <see cref="WorktreePoolOptions.PoolDirectory"/>: for any number of processes on one machine.</summary>
    /// <param name="builder">The pool.</param>
    public static WorktreePoolBuilder UseFileState(this WorktreePoolBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.UseStore((services, options) => new FileSlotStateStore(
            options.PoolDirectory, services.GetService<TimeProvider>() ?? TimeProvider.System, options.SlotsDirectory, services.GetRequiredService<IProcessTable>().Current.Host));
    }
}
