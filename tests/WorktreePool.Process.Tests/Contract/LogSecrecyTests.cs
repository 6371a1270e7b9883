using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;
using WorktreePool.Git;

namespace WorktreePool.Process.Tests.Contract;

/// <summary>A token is in no log at any level, in no metric, in no trace and in no exception, whatever goes well or wrong.</summary>
public sealed class LogSecrecyTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task No_secret_is_logged_measured_traced_or_thrown()
    {
        var told = new Told();
        using MeterListener meters = told.Meters();
        using ActivityListener spans = told.Spans();
        var services = new ServiceCollection();
        services.AddSingleton<ILoggerFactory>(told);
        services.AddWorktreePool("secrecy", options =>
        {
            (options.RepositoryPath, options.PoolDirectory, options.Slots) = (_sandbox.Repository, _sandbox.PoolDirectory, 2);
            options.QuarantineBackoff = TimeSpan.FromMilliseconds(1);
        }).UseGit().UseFileState();
        await using ServiceProvider provider = services.BuildServiceProvider();
        IWorktreePool pool = provider.GetRequiredKeyedService<IWorktreePool>("secrecy");
        IPoolOperator @operator = provider.GetRequiredKeyedService<IPoolOperator>("secrecy");
        List<SlotLease> leases = [];

        leases.Add(await pool.ClaimAsync(new ClaimRequest { Key = "A", Branch = "cr/a", Metadata = new Dictionary<string, string> { ["url"] = "x" } }, Token));
        leases.Add((await pool.TryAttachAsync(leases[0].Token, Token))!);
        await leases[1].TransferAsync(LeaseOwner.ForDuration(TimeSpan.FromHours(1)), Token);
        await leases[1].RenewAsync(Token);
        leases.AddRange((await pool.ClaimWhatFitsAsync([new ClaimRequest { Key = "A" }, new ClaimRequest { Key = "B" }, new ClaimRequest { Key = "C" }, new ClaimRequest { Key = "" }], Token)).Results.Select(result => result.Lease).OfType<SlotLease>());
        (await pool.TryAttachAsync(LeaseToken.Create("slot-0", 1), Token)).Should().BeNull();
        leases.Add((await pool.TryTakeOverAsync("A", cancellationToken: Token))!);

        // The former holder is refused, in words.
        await told.CatchAsync<LeaseLostException>(() => leases[0].ReleaseAsync(cancellationToken: Token).AsTask());
        await told.CatchAsync<LeaseLostException>(() => leases[0].RenewAsync(Token).AsTask());
        await told.CatchAsync<LeaseLostException>(() => leases[0].TransferAsync(LeaseOwner.ForDuration(TimeSpan.FromHours(1)), Token).AsTask());
        await told.CatchAsync<SlotUnavailableException>(() => pool.ClaimAsync(new ClaimRequest { Key = "D", Wait = TimeSpan.FromMilliseconds(50) }, Token).AsTask());

        // A slot that cannot be healed, a release that does not end well, and the keeper's word about both.
        string admin = Path.Combine(_sandbox.Repository, ".git", "worktrees");
        Directory.Move(admin, admin + ".away");
        await File.WriteAllTextAsync(admin, "in the way", Token);
        await told.CatchAsync<WorktreePoolException>(() => leases[^1].ReleaseAsync(cancellationToken: Token).AsTask());
        await told.CatchAsync<WorktreePoolException>(async () => await pool.ClaimAsync(new ClaimRequest { Key = "E", Wait = TimeSpan.FromMilliseconds(50) }, Token));
        await pool.MaintainAsync(Token);
        File.Delete(admin);
        Directory.Move(admin + ".away", admin);
        await pool.MaintainAsync(Token);
        await @operator.ReleaseAsync("B", ReleaseMode.Discard, Token);
        await @operator.ExamineAsync(fix: true, Token);
        meters.RecordObservableInstruments();
        foreach (HistoryEntry entry in await @operator.GetHistoryAsync(new HistoryQuery(), Token))
        {
            told.Add(entry.ToString());
        }

        told.Lines.Should().Contain(line => line.Contains("claimed for A", StringComparison.Ordinal)).And.Contain(line => line.Contains("quarantined", StringComparison.Ordinal))
            .And.Contain(line => line.Contains("worktreepool.claim.duration", StringComparison.Ordinal)).And.Contain(line => line.Contains("LeaseLostException", StringComparison.Ordinal));
        leases.Should().HaveCount(4).And.OnlyContain(lease => lease.Token.Value.Length > 32);
        foreach (string secret in leases.Select(lease => lease.Token.Value.Split('.')[^1]))
        {
            told.Lines.Should().NotContain(line => line.Contains(secret, StringComparison.Ordinal));
        }
    }

    /// <summary>All that is told to whoever listens.</summary>
    private sealed class Told : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public void Add(string line) => Lines.Enqueue(line);

        public async Task CatchAsync<T>(Func<Task> call) where T : Exception => Add((await call.Should().ThrowAsync<T>()).Which.ToString());

        public MeterListener Meters()
        {
            var meters = new MeterListener
            {
                InstrumentPublished = (instrument, listener) =>
                {
                    if (instrument.Meter.Name == "WorktreePool")
                    {
                        listener.EnableMeasurementEvents(instrument);
                    }
                },
            };
            meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Measured(instrument, value, tags));
            meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Measured(instrument, value, tags));
            meters.Start();
            return meters;
        }

        public ActivityListener Spans()
        {
            var spans = new ActivityListener
            {
                ShouldListenTo = source => source.Name == "WorktreePool",
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = span => Add(
                    $"{span.OperationName} {span.DisplayName} {span.StatusDescription} {string.Join(' ', span.TagObjects)} {string.Join(' ', span.Baggage)} {string.Join(' ', span.Events.SelectMany(one => one.Tags))}"),
            };
            ActivitySource.AddActivityListener(spans);
            return spans;
        }

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull
        {
            Add($"{state}");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Add($"{formatter(state, exception)} {(state is IEnumerable<KeyValuePair<string, object?>> values ? string.Join(' ', values) : "")} {exception}");

        public void Dispose()
        {
        }

        private void Measured<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags) => Add($"{instrument.Name} {value} {string.Join(' ', tags.ToArray())}");
    }
}
