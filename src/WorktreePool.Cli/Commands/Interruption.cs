using System.Runtime.InteropServices;

namespace WorktreePool.Cli.Commands;

/// <summary>Turns the signals that ask a program to end into a cancellation, so that what was begun is given back; or hands them to a command that runs.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private Action<PosixSignal>? _receiver;

    public Interruption()
    {
        foreach (PosixSignal signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT })
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                Receive(signal);
            }));
        }
    }

    public CancellationToken Token => _source.Token;

    /// <summary>The signal that cancelled; null while none has.</summary>
    public PosixSignal? Signal { get; private set; }

    /// <summary>From now on signals go to <paramref name="receiver"/>, one that has come already at once; null: they cancel again.</summary>
    public void Forward(Action<PosixSignal>? receiver)
    {
        PosixSignal? early;
        lock (_lock)
        {
            _receiver = receiver;
            early = Signal;
        }

        if (early is { } signal)
        {
            receiver?.Invoke(signal);
        }
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void Receive(PosixSignal signal)
    {
        Action<PosixSignal>? receiver;
        lock (_lock)
        {
            receiver = _receiver;
            if (receiver is null)
            {
                Signal = signal;
            }
        }

        if (receiver is null)
        {
            _source.Cancel();
        }
        else
        {
            receiver(signal);
        }
    }
}
