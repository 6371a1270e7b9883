using System.Net;
using System.Net.Sockets;

namespace WorktreePool.Postgres.Tests;

/// <summary>A network between a host and the database that a test can cut (connections break) or silence (nothing arrives, nothing breaks).</summary>
internal sealed class CutableProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _target;
    private readonly Lock _lock = new();
    private readonly HashSet<Socket> _sockets = [];
    private Cut? _cut;
    private TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CutableProxy(string unixSocket)
    {
        _target = unixSocket;
        _open.SetResult();
        _listener.Start();
        _ = AcceptAsync();
    }

    public string ConnectionString => ConnectAs(PostgresServer.Dispatcher);

    public string ConnectAs(string role) => $"Host=127.0.0.1;Port={((IPEndPoint)_listener.LocalEndpoint).Port};Username={role};Database=postgres";

    /// <summary>Breaks every connection; new ones are let through.</summary>
    public void CutAll()
    {
        lock (_lock)
        {
            foreach (Socket socket in _sockets)
            {
                socket.Dispose();
            }

            _sockets.Clear();
        }
    }

    /// <summary>Whether the cut that was asked for has happened.</summary>
    public bool WasCut { get; private set; }

    /// <summary>Breaks every connection at the next thing a client says: before the database hears it, or after it has answered and before the answer arrives.</summary>
    public void CutOnce(Cut when)
    {
        lock (_lock)
        {
            _cut = when;
        }
    }

    /// <summary>From now on nothing gets through, in no direction.</summary>
    public void Silence()
    {
        lock (_lock)
        {
            _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>What was held back arrives.</summary>
    public void Restore()
    {
        lock (_lock)
        {
            _open.TrySetResult();
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        CutAll();
        Restore();
    }

    private bool IsToBeCut(Cut end)
    {
        lock (_lock)
        {
            if (_cut != end)
            {
                return false;
            }

            _cut = null;
            return WasCut = true;
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await _listener.AcceptSocketAsync();
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        lock (_lock)
        {
            _sockets.Add(client);
            _sockets.Add(server);
        }

        try
        {
            await server.ConnectAsync(new UnixDomainSocketEndPoint(_target));
            await Task.WhenAny(PumpAsync(client, server, Cut.BeforeRequest), PumpAsync(server, client, Cut.AfterRequest));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The database is down: the client sees its connection break.
        }

        client.Dispose();
        server.Dispose();
    }

    private async Task PumpAsync(Socket from, Socket to, Cut end)
    {
        byte[] buffer = new byte[16 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer)) > 0)
            {
                Task open;
                lock (_lock)
                {
                    open = _open.Task;
                }

                await open;
                if (IsToBeCut(end))
                {
                    CutAll();
                    return;
                }

                await to.SendAsync(buffer.AsMemory(0, read));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut.
        }
    }
}

/// <summary>Where in a conversation a connection is cut.</summary>
internal enum Cut
{
    /// <summary>The client has spoken; the database does not hear it.</summary>
    BeforeRequest,

    /// <summary>The database has answered; the client does not hear it.</summary>
    AfterRequest,
}
