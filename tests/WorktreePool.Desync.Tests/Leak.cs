using WorktreePool.Desync.Tests.Damage;
using WorktreePool.Desync.Tests.Fixture;

namespace WorktreePool.Desync.Tests;

/// <summary>Sets a state's environment variables in this process until disposed.</summary>
internal sealed class Leak : IDisposable
{
    private readonly Dictionary<string, string?> _before = [];

    public Leak(Bench bench, IEnumerable<DamagedState> states)
    {
        foreach ((string key, string value) in states.SelectMany(state => state.Leaked))
        {
            _before[key] = Environment.GetEnvironmentVariable(key);
            Environment.SetEnvironmentVariable(key, value.Replace("$ROOT", bench.Root, StringComparison.Ordinal));
        }
    }

    public void Dispose()
    {
        foreach ((string key, string? value) in _before)
        {
            Environment.SetEnvironmentVariable(key, value);
        }
    }
}
