namespace WorktreePool.Process.Tests;

/// <summary>A pool of two slots for tests that leave it as they found it.</summary>
public sealed class SharedPool : IAsyncLifetime
{
    public Sandbox Sandbox { get; } = new();

    public async ValueTask InitializeAsync() => await Sandbox.InitAsync(2);

    public ValueTask DisposeAsync() => Sandbox.DisposeAsync();
}
