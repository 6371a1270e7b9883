using Microsoft.Extensions.DependencyInjection;

namespace WorktreePool.DependencyInjection;

/// <summary>Where a pool's backend and store are chosen. Packages add their <c>Use…</c> methods to it; each registers a service keyed by <see cref="Name"/>.</summary>
public sealed class WorktreePoolBuilder
{
    internal WorktreePoolBuilder(IServiceCollection services, string name) => (Services, Name) = (services, name);

    /// <summary>The services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>The pool's name: also its options' name and its service key.</summary>
    public string Name { get; }

    /// <summary>Uses a store of your own.</summary>
    /// <param name="factory">Makes it from the services and the pool's validated options; called once.</param>
    public WorktreePoolBuilder UseStore(Func<IServiceProvider, WorktreePoolOptions, ISlotStateStore> factory) => Register(factory);

    /// <summary>Uses a git backend of your own.</summary>
    /// <param name="factory">Makes it from the services and the pool's validated options; called once.</param>
    public WorktreePoolBuilder UseBackend(Func<IServiceProvider, WorktreePoolOptions, IGitBackend> factory) => Register(factory);

    /// <summary>Uses a runner of set-up steps of your own. The git backends of WorktreePool.Git bring theirs; without any, a pool with set-up steps or copied files refuses to start.</summary>
    /// <param name="factory">Makes it from the services and the pool's validated options; called once.</param>
    public WorktreePoolBuilder UseSetUpRunner(Func<IServiceProvider, WorktreePoolOptions, ISetUpRunner> factory) => Register(factory);

    private WorktreePoolBuilder Register<T>(Func<IServiceProvider, WorktreePoolOptions, T> factory) where T : class
    {
        ArgumentNullException.ThrowIfNull(factory);
        string name = Name;
        Services.AddKeyedSingleton(name, (provider, _) => factory(provider, PoolOptionsAccess.Get(provider, name)));
        return this;
    }
}
