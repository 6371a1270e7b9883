using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;
using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>One machine with one repository, a clock that the test moves, and processes that the test kills. A process that is killed ends without being disposed.</summary>
internal sealed class FakeMachine : IAsyncDisposable
{
    private readonly InMemorySlotStateStore? _shared;
    private readonly string _directory;
    private readonly Action<WorktreePoolBuilder>? _useStore;
    private readonly FakeProcess _observer;
    private readonly HashSet<int> _alive = [];
    private readonly List<FakeProcess> _processes = [];
    private int _nextPid = 1000;

    /// <param name="directory">Where the state is in files; null: in memory.</param>
    /// <param name="clock">A clock that runs by itself, for clients that wait for each other; null: <see cref="Wall"/>, which only the test moves.</param>
    /// <param name="useStore">Another store than those; the directory is for what it keeps on the machine.</param>
    public FakeMachine(string? directory = null, TimeProvider? clock = null, Action<WorktreePoolBuilder>? useStore = null)
    {
        _useStore = useStore;
        Wall = new LeapingTime(Time);
        Clock = clock ?? Wall;
        _shared = directory is null ? new InMemorySlotStateStore() : null;
        _directory = directory ?? "/nowhere/pool";
        Git = new ScriptedGitBackend(Clock);
        _observer = new FakeProcess(this, 1, null);
    }

    /// <summary>Who works in a slot's directory; null: nobody.</summary>
    public Func<string, IReadOnlyList<WorkingProcess>>? Working { get; set; }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 6, 3, 21, 0, 0, TimeSpan.Zero));

    /// <summary>The clock of the machine unless the test gave one: <see cref="Time"/>, with a wall time that can be set.</summary>
    public LeapingTime Wall { get; }

    public TimeProvider Clock { get; }

    /// <summary>Told when the clock was moved: a store's own clock must follow.</summary>
    public Func<DateTimeOffset, Task>? ClockMoved { get; init; }

    public ScriptedGitBackend Git { get; }

    /// <summary>The commit the pool's base stands at.</summary>
    public string Base => Git.Find(Git.DefaultBase)!;

    /// <summary>Another process that opens the pool.</summary>
    public FakeProcess Start(Action<WorktreePoolOptions>? configure = null, string name = "p")
    {
        int pid = _nextPid++;
        _alive.Add(pid);
        var process = new FakeProcess(this, pid, configure, name);
        _processes.Add(process);
        return process;
    }

    /// <summary>A process other than the pool's clients: a worker.</summary>
    public ProcessIdentity StartWorker(int pid)
    {
        _alive.Add(pid);
        return Identity(pid);
    }

    /// <summary>SIGKILL: the locks of a client end with it.</summary>
    public async Task KillAsync(FakeProcess process)
    {
        _alive.Remove(process.Pid);
        _processes.Remove(process);
        await process.Store.DisposeAsync();
    }

    /// <summary>Registers the pool as a process does.</summary>
    public void Use(WorktreePoolBuilder pool)
    {
        pool.UseScriptedGit(Git);
        if (_useStore is not null)
        {
            _useStore(pool);
        }
        else
        {
            _ = _shared is null ? pool.UseFileState() : pool.UseInMemory(_shared);
        }
    }

    /// <summary>Where the pool is.</summary>
    public string PoolDirectory => _directory;

    public void KillWorker(int pid) => _alive.Remove(pid);

    public bool IsAlive(ProcessIdentity process) => _alive.Contains(process.Pid) && process == Identity(process.Pid);

    public static ProcessIdentity Identity(int pid) => new("host", "boot", pid, pid * 10L);

    public async Task<PoolState> StateAsync() => await _observer.Store.ReadAsync(CancellationToken.None);

    public async Task<SlotRecord> RecordAsync(int slot) => (await StateAsync()).Slots[slot];

    public ScriptedSlot Slot(int number) => Git.Slot($"slot-{number}");

    /// <summary>What must hold of every slot that nobody holds: recorded free, really ready, and nothing destroyed on the way.</summary>
    public async Task ShouldBeReadyAsync(int slot)
    {
        SlotRecord record = await RecordAsync(slot);
        record.State.Should().Be(SlotState.Free);
        record.Commit.Should().Be(Base);
        record.Lease.Should().BeNull();
        record.EndedBranch.Should().BeNull();
        Slot(slot).Should().Match<ScriptedSlot>(ready => ready.Exists && ready.Head == Base && ready.Branch == null && ready.Files.Count == 0);
        Git.Violations.Should().BeEmpty();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (FakeProcess process in _processes)
        {
            await process.DisposeAsync();
        }

        await _observer.DisposeAsync();
    }
}

/// <summary>One process with the pool open.</summary>
internal sealed class FakeProcess : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public FakeProcess(FakeMachine machine, int pid, Action<WorktreePoolOptions>? configure, string name = "p")
    {
        (Pid, Name) = (pid, name);
        var services = new ServiceCollection();
        services.AddSingleton(machine.Clock);
        services.AddSingleton<IProcessTable>(new FakeProcessTable(machine, pid));
        machine.Use(services.AddWorktreePool(name, options =>
        {
            (options.RepositoryPath, options.PoolDirectory, options.Slots) = ("/nowhere/repository", machine.PoolDirectory, 2);
            configure?.Invoke(options);
        }));
        _services = services.BuildServiceProvider();
    }

    public int Pid { get; }

    public string Name { get; }

    public ISlotStateStore Store => _services.GetRequiredKeyedService<ISlotStateStore>(Name);

    public IWorktreePool Pool => _services.GetRequiredKeyedService<IWorktreePool>(Name);

    public IPoolOperator Operator => _services.GetRequiredKeyedService<IPoolOperator>(Name);

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private sealed class FakeProcessTable(FakeMachine machine, int pid) : IProcessTable
    {
        public ProcessIdentity Current => FakeMachine.Identity(pid);

        public ProcessIdentity? Find(int other) => machine.IsAlive(FakeMachine.Identity(other)) ? FakeMachine.Identity(other) : null;

        public Liveness GetLiveness(ProcessIdentity process) => process.Host != "host" ? Liveness.Unknown : machine.IsAlive(process) ? Liveness.Alive : Liveness.Dead;

        public IReadOnlyList<WorkingProcess> FindIn(string directory) => machine.Working?.Invoke(directory) ?? [];

        public void Terminate(ProcessIdentity process) => throw new InvalidOperationException("nobody works in these slots");

        public void Kill(ProcessIdentity process) => throw new InvalidOperationException("nobody works in these slots");
    }
}
