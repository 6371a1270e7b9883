using Microsoft.Extensions.DependencyInjection;
using WorktreePool.Cli.Commands;
using WorktreePool.DependencyInjection;
using WorktreePool.Git;

namespace WorktreePool.TestHelper;

/// <summary>One operation of a pool in a process of its own, with crash points at every seam. ROOT holds repo and pool.</summary>
internal static class Operations
{
    public static async Task<int> RunAsync(string root, string operation)
    {
        string[] parts = operation.Split('-', 2);
        if (parts[1] == "command")
        {
            Crash.Arm();
            int code = await App.RunAsync(["init", "--pool", Path.Combine(root, "pool"), "--repo", Path.Combine(root, "repo"), "--slots", parts[0]]);
            Crash.Disarm();
            return code;
        }

        await using ServiceProvider services = Open(root, int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture), Configuration(root, parts[1]), inProcess: parts[1] == "libgit2");
        IWorktreePool pool = services.GetRequiredKeyedService<IWorktreePool>("p");
        IPoolOperator @operator = services.GetRequiredKeyedService<IPoolOperator>("p");
        Crash.Arm();
        await (parts[1] switch
        {
            "init" or "libgit2" => @operator.InitializeAsync().AsTask(),
            "claim" or "sparse" => ClaimAsync(pool),
            "cancel" => CancelAsync(pool),
            "taken" => TakenAwayAsync(pool, Path.Combine(root, "pool", "slots")),
            "release" => @operator.ReleaseAsync("held").AsTask(),
            "discard" => @operator.ReleaseAsync("held", ReleaseMode.Discard).AsTask(),
            "run" => WorkAsync(pool),
            "maintain" => pool.MaintainAsync().AsTask(),
            "rescue" or "ownrescue" => RestoreAsync(@operator),
            "own" => ClaimAsync(pool),
            "warm" => WorkAsync(pool),
            _ => throw new ArgumentException($"unknown: {operation}"),
        });
        Crash.Disarm();
        return 0;
    }

    /// <summary>A keeper's pass over a pool of two slots beside its directory: it heals the free one.</summary>
    public static async Task<int> HealAsync(string root)
    {
        await using ServiceProvider services = Open(root, 2, options => (options.SlotsDirectory, options.Base) = (Path.Combine(root, "slots"), "origin/main"));
        Crash.Arm();
        await services.GetRequiredKeyedService<IWorktreePool>("p").MaintainAsync();
        Crash.Disarm();
        return 0;
    }

    private static Action<WorktreePoolOptions>? Configuration(string root, string operation) => operation switch
    {
        "warm" => SetUp,
        "sparse" => options => options.Sparse.Add("dir"),
        "own" or "ownrescue" => options => (options.RepositoryPath, options.Isolated, options.Remote) = ("", true, Path.Combine(root, "origin.git")),
        _ => null,
    };

    /// <summary>Two steps, of which the second rests on the first and on a file of the main checkout.</summary>
    private static void SetUp(WorktreePoolOptions options)
    {
        Directory.CreateDirectory(Path.Combine(options.RepositoryPath, "build"));
        foreach (string file in new[] { "/local.log", "/build/local.txt" })
        {
            File.WriteAllText(options.RepositoryPath + file, "local\n");
            options.Copy.Add(file);
        }

        options.SetUp.Add(new SetUpStep { Name = "one", Timeout = TimeSpan.FromSeconds(20), Command = { "/bin/sh", "-c", "mkdir made; echo one > made/one" }, Makes = { "/made/" } });
        options.SetUp.Add(new SetUpStep { Name = "two", Timeout = TimeSpan.FromSeconds(20), Command = { "/bin/sh", "-c", "test -f local.log; echo two > made/two; mkdir more" }, Makes = { "/more/" } });
    }

    private static async Task ClaimAsync(IWorktreePool pool)
    {
        SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "claimed", Branch = "cr/claimed" });
        Crash.Reached("claimed");
        lease.Detach();
    }

    /// <summary>The caller cancels in the instant in which it is given the slot.</summary>
    private static async Task CancelAsync(IWorktreePool pool)
    {
        using var cancel = new CancellationTokenSource();
        Crash.Passing = point =>
        {
            if (point == "before record Leased")
            {
                cancel.Cancel();
            }
        };
        try
        {
            await pool.ClaimAsync(new ClaimRequest { Key = "cancelled", Branch = "cr/cancelled", Owner = LeaseOwner.ForDuration(TimeSpan.FromHours(1)) }, cancel.Token);
            throw new InvalidOperationException("It was cancelled, and there is a lease all the same.");
        }
        catch (OperationCanceledException)
        {
            Crash.Reached("given back");
        }
    }

    /// <summary>Somebody takes the submodule's directory away after git has made it.</summary>
    private static async Task TakenAwayAsync(IWorktreePool pool, string slots)
    {
        Crash.Passing = point =>
        {
            if (point == "submodule refs written")
            {
                foreach (string submodule in Directory.GetDirectories(slots).Select(slot => Path.Combine(slot, "sub")).Where(Directory.Exists))
                {
                    Directory.Delete(submodule);
                }
            }
        };
        await ClaimAsync(pool);
    }

    private static async Task WorkAsync(IWorktreePool pool)
    {
        await using SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "run", Branch = "cr/run" });
        await File.WriteAllTextAsync(Path.Combine(lease.Path, "run.txt"), "run\n");
        Crash.Reached("worked");
    }

    private static async Task RestoreAsync(IPoolOperator pool)
    {
        Rescue rescue = (await pool.Rescues.ListAsync(CancellationToken.None))[0];
        await pool.Rescues.RestoreAsync(rescue.Id, "restored", CancellationToken.None);
        await pool.Rescues.DropAsync(rescue.Id, CancellationToken.None);
    }

    private static ServiceProvider Open(string root, int slots, Action<WorktreePoolOptions>? configure = null, bool inProcess = false)
    {
        // The seams are made by the packages' own methods, and wrapped.
        ServiceProvider inner = Registered(root, slots, configure, builder => TestStore.Use(inProcess ? builder.UseLibGit2Sharp() : builder.UseGit()));
        return Registered(root, slots, configure, builder => builder
            .UseSetUpRunner((_, _) => inner.GetRequiredKeyedService<ISetUpRunner>("p"))
            .UseBackend((_, _) => new CrashingGit(inner.GetRequiredKeyedService<IGitBackend>("p")))
            .UseStore((_, _) => new CrashingStore(inner.GetRequiredKeyedService<ISlotStateStore>("p"))));
    }

    private static ServiceProvider Registered(string root, int slots, Action<WorktreePoolOptions>? configure, Action<WorktreePoolBuilder> use)
    {
        var services = new ServiceCollection();
        use(services.AddWorktreePool("p", options =>
        {
            (options.RepositoryPath, options.PoolDirectory, options.Slots) = (Path.Combine(root, "repo"), Path.Combine(root, "pool"), slots);
            configure?.Invoke(options);
        }));
        return services.BuildServiceProvider();
    }
}
