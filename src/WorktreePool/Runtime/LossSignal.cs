namespace WorktreePool.Runtime;

/// <summary>The token by which a holder is told that what it holds is lost.</summary>
internal sealed class LossSignal : IDisposable
{
    private readonly CancellationTokenSource _lost = new();

    public LossSignal() => Token = _lost.Token;

    public CancellationToken Token { get; }

    public void Give()
    {
        try
        {
            // Not Cancel: a listener that throws or takes long must not keep the news from others.
            _ = _lost.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // Given back in the same instant: nobody listens any more.
        }
    }

    public void Dispose() => _lost.Dispose();
}
