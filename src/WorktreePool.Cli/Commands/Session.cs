using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using WorktreePool.Cli.Output;
using WorktreePool.Cli.Settings;
using WorktreePool.DependencyInjection;
using WorktreePool.Git;
using WorktreePool.Settings;

namespace WorktreePool.Cli.Commands;

/// <summary>One run of a command: the settings, the opened pool, and where the answer goes.</summary>
internal sealed class Session : IAsyncDisposable
{
    private ServiceProvider? _services;

    public Session(ParseResult parsed, Interruption interruption)
    {
        Parsed = parsed;
        Interruption = interruption;
        Answer = new Answer(parsed.GetValue(GlobalOptions.Json));
    }

    public ParseResult Parsed { get; }

    public Answer Answer { get; }

    public Interruption Interruption { get; }

    public IWorktreePool Pool => Services().GetRequiredKeyedService<IWorktreePool>(Name);

    public IPoolOperator Operator => Services().GetRequiredKeyedService<IPoolOperator>(Name);

    public IFleet Fleet => Services().GetRequiredKeyedService<IFleet>(Name);

    public IMovableStateStore Store => StoreOf(Services());

    public IProcessTable Processes => Services().GetRequiredService<IProcessTable>();

    /// <summary>The settings; set by init before the pool is opened, else those of the pool that was named.</summary>
    public PoolSettings Settings
    {
        get => field ??= LoadExisting();
        set;
    }

    private string Name => Path.GetFileName(Settings.Directory) is { Length: > 0 } name ? name : "pool";

    public T? Get<T>(string option) => Parsed.GetValue<T>(option);

    /// <summary>A duration given as an option; null when it was not.</summary>
    public TimeSpan? Time(string option) => Get<string?>(option) is { } text
        ? Duration.TryParse(text, out TimeSpan time) ? time : throw new UsageException($"{option} is \"{text}\"; {Duration.Rule}")
        : null;

    public async ValueTask DisposeAsync()
    {
        if (_services is not null)
        {
            await _services.DisposeAsync();
        }
    }

    public IMovableStateStore StoreOf(ServiceProvider services) => (IMovableStateStore)services.GetRequiredKeyedService<ISlotStateStore>(Name);

    private PoolSettings LoadExisting()
    {
        string directory = PoolSettings.FindDirectory(Parsed.GetValue(GlobalOptions.Pool))
            ?? throw new UsageException($"No pool is named, and there is no .worktree-pool upward from here. Give --pool DIR, set {PoolSettings.PoolVariable}, or make one with worktree-pool init.");
        PoolSettings settings = PoolSettings.Load(directory);
        if (!File.Exists(settings.FilePath))
        {
            throw new PoolConfigurationException($"There is no pool in {directory} ({PoolSettings.FileName} is missing). Make one with worktree-pool init.");
        }

        settings.RequireNamed(Parsed.GetValue(GlobalOptions.Pool));
        SettingOptions.Apply(Parsed, settings);
        return settings;
    }

    private ServiceProvider Services()
    {
        if (_services is null)
        {
            _services = Open(Settings);
        }

        return _services;
    }

    /// <summary>The services of a pool with these settings.</summary>
    public ServiceProvider Open(PoolSettings settings)
    {
        StoreSettings store = settings.Effective().Store;
        var services = new ServiceCollection();
        if (store.HostName is { } host)
        {
            services.NameWorktreePoolHost(host);
        }

        store.Use(services.AddWorktreePool(Name, settings.Apply).UseGit());
        return services.BuildServiceProvider();
    }
}
