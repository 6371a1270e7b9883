using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;

namespace WorktreePool.Testing;

/// <summary>
/// A pool in memory, as one process has it open: the real runtime over an <see cref="InMemorySlotStateStore"/> and a <see cref="ScriptedGitBackend"/>, with a
/// clock and processes that the test rules. Made by <see cref="TestPoolBuilder"/>; <see cref="OpenAsAnotherProcess"/> opens the same pool once more.
/// </summary>
public sealed class TestPool : IAsyncDisposable
{
    private readonly World _world;
    private readonly ServiceProvider _services;
    private bool _isKilled;

    internal TestPool(World world)
    {
        _world = world;
        Process = world.Processes.Start();
        var services = new ServiceCollection();
        services.AddSingleton(world.Time);
        services.AddSingleton(world.Processes.TableOf(Process));
        services.AddWorktreePool("test", world.Configure).UseScriptedGit(world.Git).UseInMemory(world.Store);
        _services = services.BuildServiceProvider();
    }

    /// <summary>The pool, as what is tested gets it.</summary>
    public IWorktreePool Pool => _services.GetRequiredKeyedService<IWorktreePool>("test");

    /// <summary>The pool as its operator has it.</summary>
    public IPoolOperator Operator => _services.GetRequiredKeyedService<IPoolOperator>("test");

    /// <summary>The repository, to be scripted and looked into.</summary>
    public ScriptedGitBackend Git => _world.Git;

    /// <summary>The machine's processes.</summary>
    public TestProcesses Processes => _world.Processes;

    /// <summary>The process that this object stands for: the owner of what it claims.</summary>
    public ProcessIdentity Process { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Time => _world.Time;

    /// <summary>The commit of the pool's base.</summary>
    public string BaseCommit => Git.Find(Git.DefaultBase)!;

    /// <summary>The same pool, opened by another process.</summary>
    public TestPool OpenAsAnotherProcess() => new(_world);

    /// <summary>SIGKILL: nothing is released, working locks are free, and what this process owns is dead. The object is not to be used any more.</summary>
    public async ValueTask KillAsync()
    {
        _isKilled = true;
        Processes.Kill(Process);
        await _services.GetRequiredKeyedService<ISlotStateStore>("test").DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The end of the process in good order; nothing when it was killed.</summary>
    public ValueTask DisposeAsync() => _isKilled ? default : _services.DisposeAsync();

    /// <summary>What all processes that open one pool share.</summary>
    internal sealed record World(TimeProvider Time, Action<WorktreePoolOptions> Configure)
    {
        public ScriptedGitBackend Git { get; } = new(Time);

        public InMemorySlotStateStore Store { get; } = new();

        public TestProcesses Processes { get; } = new();
    }
}
