namespace WorktreePool.Runtime;

/// <summary>A gate that this process is inside of.</summary>
internal sealed class HeldGate : DispatchGate, IHeld
{
    private readonly Gates _gates;
    private readonly LossWatch _watch;
    private readonly string _gate;
    private readonly GateRecord _entry;
    private readonly LossSignal _lost = new();
    private int _disposed;

    /// <param name="gates">To leave it.</param>
    /// <param name="watch">Tells when the stay is lost.</param>
    /// <param name="name">The dispatcher's name.</param>
    /// <param name="gate">The gate's.</param>
    /// <param name="entry">The stay.</param>
    public HeldGate(Gates gates, LossWatch watch, string name, string gate, GateRecord entry)
    {
        (_gates, _watch, Name, _gate, _entry) = (gates, watch, name, gate, entry);
        LostToken = _lost.Token;
        watch.Add(this);
    }

    public override string Name { get; }

    public override DateTimeOffset Since => _entry.Since;

    public override CancellationToken LostToken { get; }

    public DateTimeOffset? TrustedUntil => null;

    public bool IsOver => false;

    public bool IsProvedBy(PoolRecord pool, IReadOnlyDictionary<string, SlotRecord> slots) => Gates.Find(pool, _gate)?.Id == _entry.Id;

    public void MarkLost() => _lost.Give();

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _watch.Remove(this);
            await _gates.LeaveAsync(_gate, _entry).ConfigureAwait(false);
            _lost.Dispose();
        }
    }
}
