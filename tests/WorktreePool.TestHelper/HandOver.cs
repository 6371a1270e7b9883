using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;
using WorktreePool.Git;

namespace WorktreePool.TestHelper;

/// <summary>
/// One of several processes whose claims are cancelled at a random point of theirs, most of them while they have a slot or are being given one. While
/// it holds a slot it holds a file lock, too, that ends with it: one that is held already is a double hold. It says each claim that it was given.
/// </summary>
internal static class HandOver
{
    /// <summary>A claim passes about so many, with the release half as many more.</summary>
    private const int MostPoints = 240;

    /// <param name="root">Holds repo, pool and marks.</param>
    /// <param name="seed">Of the points.</param>
    /// <param name="claims">How many claims.</param>
    /// <param name="lasts">Whether leases outlive their process, so that one which nobody knows of would stay.</param>
    public static async Task<int> RunAsync(string root, int seed, int claims, bool lasts)
    {
        await using ServiceProvider services = Open(root);
        IWorktreePool pool = services.GetRequiredKeyedService<IWorktreePool>("p");
        var random = new Random(seed);
        Crash.Arm();
        for (int claim = 0; claim < claims; claim++)
        {
            using var cancel = new CancellationTokenSource();
            int left = random.Next(1, MostPoints);
            Crash.Passing = _ =>
            {
                if (Interlocked.Decrement(ref left) == 0)
                {
                    cancel.Cancel();
                }
            };
            try
            {
                LeaseOwner? owner = lasts ? LeaseOwner.ForDuration(TimeSpan.FromHours(1)) : null;
                var request = new ClaimRequest { Key = string.Create(CultureInfo.InvariantCulture, $"{seed}-{claim}"), Branch = string.Create(CultureInfo.InvariantCulture, $"cr/{seed}-{claim}"), Owner = owner };
                await using SlotLease lease = await pool.ClaimAsync(request, cancel.Token);
                await using var mark = new FileStream(Path.Combine(root, "marks", lease.Slot), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                await File.WriteAllTextAsync(Path.Combine(lease.Path, "work.txt"), request.Key, CancellationToken.None);
                Console.WriteLine("claimed");
            }
            catch (OperationCanceledException)
            {
                Console.WriteLine("cancelled");
            }
        }

        Crash.Disarm();
        return 0;
    }

    private static ServiceProvider Open(string root)
    {
        ServiceProvider inner = Registered(root, builder => builder.UseGit().UseFileState());
        return Registered(root, builder => builder
            .UseBackend((_, _) => new CrashingGit(inner.GetRequiredKeyedService<IGitBackend>("p")))
            .UseStore((_, _) => new CrashingStore(inner.GetRequiredKeyedService<ISlotStateStore>("p"))));
    }

    private static ServiceProvider Registered(string root, Action<WorktreePoolBuilder> use)
    {
        var services = new ServiceCollection();
        use(services.AddWorktreePool("p", options =>
        {
            (options.RepositoryPath, options.PoolDirectory, options.Slots) = (Path.Combine(root, "repo"), Path.Combine(root, "pool"), 2);
            (options.ClaimTimeout, options.ReleaseMode) = (TimeSpan.FromMinutes(2), ReleaseMode.Discard);
        }));
        return services.BuildServiceProvider();
    }
}
