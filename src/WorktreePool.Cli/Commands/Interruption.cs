using System.Runtime.InteropServices;

namespace WorktreePool.Cli.Commands;

/// <summary>Turns the signals that ask a program to end into a cancellation, so that what was begun is given back.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    public Interruption()
    {
        foreach (PosixSignal signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP })
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                if (OnSignal is { } forward)
                {
                    forward(signal);
                }
                else
                {
                    _source.Cancel();
                }
            }));
        }
    }

    /// <summary>While set, signals go there instead of cancelling: run hands them to its command.</summary>
    public static Action<PosixSignal>? OnSignal { get; set; }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }
}
