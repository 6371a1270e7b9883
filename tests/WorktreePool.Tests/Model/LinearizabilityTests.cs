using WorktreePool.Tests.Runtime;

namespace WorktreePool.Tests.Model;

/// <summary>
/// Claims and releases at the same time, from several clients. Each call takes effect at one moment between its begin and its end: so two leases of
/// one slot, or of one key, never overlap, and a refusal needs a moment at which every slot could have been held.
/// </summary>
public sealed class LinearizabilityTests
{
    private const int Slots = 3, Clients = 4, Calls = 60;

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_call_takes_effect_at_one_moment(bool files)
    {
        DirectoryInfo? root = files ? MemoryDirectory.Create() : null;
        try
        {
            await using var machine = new FakeMachine(root is null ? null : Path.Combine(root.FullName, "pool"), TimeProvider.System);
            var clock = new Clock();
            await machine.Start(options => options.Slots = Slots).Operator.InitializeAsync(TestContext.Current.CancellationToken);
            List<FakeProcess> clients = [.. Enumerable.Range(0, Clients).Select(_ => machine.Start(options => options.Slots = Slots))];
            var calls = await Task.WhenAll(clients.Select((client, seed) => Task.Run(() => CallAsync(client, new Random(seed), clock))));

            List<Holding> holdings = [.. calls.SelectMany(client => client.Holdings)];
            List<(long Begin, long End)> refusals = [.. calls.SelectMany(client => client.Refusals)];
            foreach (IEnumerable<Holding> alone in holdings.GroupBy(holding => holding.Slot).Concat(holdings.GroupBy(holding => holding.Key)))
            {
                List<Holding> order = [.. alone.OrderBy(holding => holding.Granted)];
                order.Zip(order.Skip(1)).Where(pair => pair.First.Returning > pair.Second.Granted).Should().BeEmpty("a slot and a key have one holder at a time");
            }

            foreach ((long begin, long end) in refusals)
            {
                Enumerable.Range((int)begin, (int)(end - begin + 1)).Should().Contain(
                    moment => holdings.Where(holding => holding.Asked <= moment && moment <= holding.Returned).Select(holding => holding.Slot).Distinct().Count() == Slots,
                    "at some moment of a refused call every slot could have been held");
            }

            holdings.Count.Should().BeGreaterThan(Clients * 5);
            machine.Git.Violations.Should().BeEmpty();
        }
        finally
        {
            root?.Delete(recursive: true);
        }
    }

    private static async Task<(List<Holding> Holdings, List<(long, long)> Refusals)> CallAsync(FakeProcess process, Random random, Clock clock)
    {
        List<Holding> holdings = [];
        List<(long, long)> refusals = [];
        for (int call = 0; call < Calls; call++)
        {
            string key = $"K-{random.Next(4)}";
            long asked = clock.Tick();
            ClaimResult result = await process.Pool.TryClaimAsync(new ClaimRequest { Key = key }, TestContext.Current.CancellationToken);
            long granted = clock.Tick();
            if (result.Lease is not { } lease)
            {
                if (result.Refusal!.Reason == RefusalReason.Exhausted)
                {
                    refusals.Add((asked, granted));
                }

                continue;
            }

            for (int pause = random.Next(4); pause > 0; pause--)
            {
                await Task.Yield();
            }

            long returning = clock.Tick();
            await lease.ReleaseAsync(cancellationToken: TestContext.Current.CancellationToken);
            holdings.Add(new Holding(lease.Slot, key, asked, granted, returning, clock.Tick()));
        }

        return (holdings, refusals);
    }

    /// <summary>A lease: asked for, granted, being returned, returned.</summary>
    private sealed record Holding(string Slot, string Key, long Asked, long Granted, long Returning, long Returned);

    /// <summary>An order of moments that all clients agree on.</summary>
    private sealed class Clock
    {
        private long _now;

        public long Tick() => Interlocked.Increment(ref _now);
    }
}
