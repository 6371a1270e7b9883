using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using WorktreePool.DependencyInjection;
using WorktreePool.Testing;

namespace WorktreePool.Postgres.Tests;

/// <summary>Several hosts of one pool, each a process of its own in this one: with its own directory, name and git.</summary>
internal sealed class Fleet(PostgresServer server) : IDisposable
{
    public static readonly TimeSpan HostTimeout = TimeSpan.FromSeconds(4);

    private readonly string _directory = Directory.CreateTempSubdirectory("wp-hosts-").FullName;
    private readonly Dictionary<string, ScriptedGitBackend> _gits = [];

    /// <summary>The pool's name in the database.</summary>
    public string Name { get; } = server.NewName();

    /// <summary>A process on a host.</summary>
    public ServiceProvider Open(string host, string? connectionString = null, Action<PostgresOptions>? configure = null, ILoggerFactory? logs = null, TimeProvider? time = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IProcessTable>(new NamedHost(host));
        if (time is not null)
        {
            services.AddSingleton(time);
        }

        if (logs is not null)
        {
            services.AddSingleton(logs);
        }

        if (!_gits.TryGetValue(host, out ScriptedGitBackend? git))
        {
            _gits.Add(host, git = new ScriptedGitBackend());
        }

        services.AddWorktreePool("agents", options =>
        {
            options.RepositoryPath = Path.Combine(_directory, host);
            options.PoolDirectory = Path.Combine(_directory, host, "pool");
            options.Slots = 2;
        }).UseScriptedGit(git).UsePostgres(connectionString ?? server.ConnectAs(PostgresServer.Dispatcher), options =>
        {
            options.Pool = Name;
            options.HostTimeout = HostTimeout;
            options.OperationTimeout = TimeSpan.FromSeconds(2);
            configure?.Invoke(options);
        });
        return services.BuildServiceProvider();
    }

    public void Dispose() => new DirectoryInfo(_directory).Delete(recursive: true);

    public static IWorktreePool PoolOf(ServiceProvider host) => host.GetRequiredKeyedService<IWorktreePool>("agents");

    public static IPoolOperator OperatorOf(ServiceProvider host) => host.GetRequiredKeyedService<IPoolOperator>("agents");

    /// <summary>This process, as if on a host of that name.</summary>
    private sealed class NamedHost(string name) : IProcessTable
    {
        public ProcessIdentity Current { get; } = new(name, "boot", Environment.ProcessId, 1);

        public ProcessIdentity? Find(int pid) => pid == Current.Pid ? Current : null;

        public Liveness GetLiveness(ProcessIdentity process) => process == Current ? Liveness.Alive : process.Host == name ? Liveness.Dead : Liveness.Unknown;

        public IReadOnlyList<WorkingProcess> FindIn(string directory) => [];

        public void Terminate(ProcessIdentity process)
        {
        }

        public void Kill(ProcessIdentity process)
        {
        }
    }
}
