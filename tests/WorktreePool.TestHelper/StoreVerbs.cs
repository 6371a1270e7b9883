using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;

namespace WorktreePool.TestHelper;

/// <summary>What a process does to a file store.</summary>
internal static class StoreVerbs
{
    /// <summary>Takes a slot's working lock, says so, and holds it until it is killed or its input ends.</summary>
    public static async Task<int> HoldSlotAsync(string pool, string slot)
    {
        await using ServiceProvider services = Services(pool);
        await using IAsyncDisposable? held = await Store(services).TryLockSlotAsync(slot, CancellationToken.None);
        Console.WriteLine(held is null ? "busy" : "held");
        await Console.In.ReadToEndAsync();
        return 0;
    }

    /// <summary>Waits for a slot's working lock, says so when it begins and when it has it, and holds it until it is killed or its input ends.</summary>
    public static async Task<int> WaitForSlotAsync(string pool, string slot)
    {
        await using ServiceProvider services = Services(pool);
        Task<IAsyncDisposable> coming = Store(services).WaitForSlotLockAsync(slot, TimeProvider.System, CancellationToken.None).AsTask();
        Console.WriteLine("waits");
        await using IAsyncDisposable held = await coming;
        Console.WriteLine("held");
        await Console.In.ReadToEndAsync();
        return 0;
    }

    /// <summary>Holds the lock of a file, says so, and keeps it until it is killed or its input ends.</summary>
    public static async Task<int> HoldFileAsync(string path)
    {
        await using var held = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        Console.WriteLine("held");
        await Console.In.ReadToEndAsync();
        return 0;
    }

    /// <summary>As <see cref="HoldSlotAsync"/>, with a child that outlives this process; prints its process id.</summary>
    public static async Task<int> HoldSlotWithChildAsync(string pool, string slot)
    {
        await using ServiceProvider services = Services(pool);
        await using IAsyncDisposable? held = await Store(services).TryLockSlotAsync(slot, CancellationToken.None);
        using var child = Process.Start(new ProcessStartInfo("sleep", "600"));
        Console.WriteLine(held is null ? "busy" : child!.Id);
        await Console.In.ReadToEndAsync();
        return 0;
    }

    /// <summary>Makes a slot's record if there is none and adds one to its epoch so many times, telling the history of each; says each number it reached.</summary>
    public static async Task<int> CountAsync(string pool, string slot, int times)
    {
        await using ServiceProvider services = Services(pool);
        ISlotStateStore store = Store(services);
        for (int done = 0; done < times;)
        {
            SlotRecord record = (await store.ReadAsync(CancellationToken.None)).Slots.FirstOrDefault(record => record.Slot == slot)
                ?? new SlotRecord { Slot = slot, Host = "h", Path = "/p" };
            if ((await store.CompareAndSetAsync(record.Version, record with { Epoch = record.Epoch + 1 }, CancellationToken.None)).Applied)
            {
                var entry = new HistoryEntry { At = record.UpdatedAt, Event = HistoryEvent.Claimed, Slot = slot, Epoch = record.Epoch + 1 };
                await store.AppendHistoryAsync(entry, CancellationToken.None);
                Console.WriteLine(record.Epoch + 1);
                done++;
            }
        }

        return 0;
    }

    /// <summary>Makes a slot's record; says the outcome, or fails with 3 and the store's message.</summary>
    public static async Task<int> WriteAsync(string pool, string slot)
    {
        await using ServiceProvider services = Services(pool);
        try
        {
            StoreResult result = await Store(services).CompareAndSetAsync(0, new SlotRecord { Slot = slot, Host = "h", Path = "/p" }, CancellationToken.None);
            Console.WriteLine(result.Outcome);
            return 0;
        }
        catch (StateStoreException e)
        {
            Console.WriteLine(e.Message);
            return 3;
        }
    }

    /// <summary>Makes a slot's record, and stops itself by SIGSTOP in the middle of it, with the store lock held; told to continue, it says the outcome.</summary>
    public static async Task<int> StopInChangeAsync(string pool, string slot)
    {
        await using ServiceProvider services = Services(pool);
        bool stopped = false;
        AppContext.SetData("WorktreePool.CrashPoint", (Action<string>)(point =>
        {
            if (!stopped && point == "state file written")
            {
                stopped = true;
                Console.WriteLine("stopping");
                using var kill = Process.Start("kill", ["-STOP", $"{Environment.ProcessId}"]);
                kill.WaitForExit();
            }
        }));
        Console.WriteLine((await Store(services).CompareAndSetAsync(0, new SlotRecord { Slot = slot, Host = Environment.MachineName, Path = Path.Combine(pool, "slots", slot) }, CancellationToken.None)).Outcome);
        return 0;
    }

    /// <summary>Drops all history that is older than a day, and kills itself by SIGKILL at a crash point.</summary>
    public static async Task<int> PruneHistoryAsync(string pool, string point)
    {
        await using ServiceProvider services = Services(pool);
        AppContext.SetData("WorktreePool.CrashPoint", (Action<string>)(reached =>
        {
            if (reached == point)
            {
                Process.GetCurrentProcess().Kill();
            }
        }));
        Console.WriteLine(await Store(services).PruneHistoryAsync(TimeProvider.System.GetUtcNow().AddDays(-1), long.MaxValue, CancellationToken.None));
        return 0;
    }

    private static ServiceProvider Services(string pool)
    {
        var services = new ServiceCollection();
        services.AddWorktreePool("p", options => (options.RepositoryPath, options.PoolDirectory) = (pool, pool)).UseFileState();
        return services.BuildServiceProvider();
    }

    private static ISlotStateStore Store(ServiceProvider services) => services.GetRequiredKeyedService<ISlotStateStore>("p");
}
