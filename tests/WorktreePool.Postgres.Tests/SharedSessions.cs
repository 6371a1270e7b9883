using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace WorktreePool.Postgres.Tests;

/// <summary>A pooler as PgBouncer is with pool_mode transaction: all its clients have one session at the server, each for as long as a transaction of its lasts.</summary>
internal sealed class SharedSessions : IAsyncDisposable
{
    private const int SslRequest = 80877103, GssRequest = 80877104;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly NetworkStream _server;
    private readonly byte[] _parameters;

    private SharedSessions(NetworkStream server, byte[] parameters)
    {
        (_server, _parameters) = (server, parameters);
        _listener.Start();
        _ = AcceptAsync();
    }

    public string ConnectionString => $"Host=127.0.0.1;Port={((IPEndPoint)_listener.LocalEndpoint).Port};Username={PostgresServer.Dispatcher};Database=postgres";

    public static async Task<SharedSessions> StartAsync(string unixSocket)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(unixSocket));
        var server = new NetworkStream(socket, ownsSocket: true);
        byte[] names = Encoding.ASCII.GetBytes($"user\0{PostgresServer.Dispatcher}\0database\0postgres\0\0");
        byte[] hello = [.. Number(names.Length + 8), .. Number(196608), .. names];
        await server.WriteAsync(hello);

        // What the server says of itself, for each client to hear.
        using var parameters = new MemoryStream();
        byte[] answer;
        while ((answer = await ReadAsync(server))[0] != 'Z')
        {
            if (answer[0] == 'S')
            {
                parameters.Write(answer);
            }
        }

        return new SharedSessions(server, parameters.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _server.DisposeAsync();
    }

    private async Task AcceptAsync()
    {
        try
        {
            for (int number = 1; ; number++)
            {
                _ = ServeAsync(await _listener.AcceptSocketAsync(), number);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket, int number)
    {
        await using var client = new NetworkStream(socket, ownsSocket: true);
        bool hasTurn = false;
        try
        {
            while (await ReadHelloAsync(client) is SslRequest or GssRequest)
            {
                await client.WriteAsync("N"u8.ToArray());
            }

            await client.WriteAsync((byte[])[(byte)'R', .. Number(8), .. Number(0), .. _parameters, (byte)'K', .. Number(12), .. Number(number), .. Number(0), (byte)'Z', .. Number(5), (byte)'I']);
            byte[] said, answer;
            while ((said = await ReadAsync(client))[0] != 'X')
            {
                if (!hasTurn)
                {
                    await _turn.WaitAsync();
                    hasTurn = true;
                }

                await _server.WriteAsync(said);
                if (said[0] is not ((byte)'S' or (byte)'Q'))
                {
                    continue;
                }

                do
                {
                    answer = await ReadAsync(_server);
                    await client.WriteAsync(answer);
                }
                while (answer[0] != 'Z');
                if (answer[5] == 'I')
                {
                    hasTurn = false;
                    _turn.Release();
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The client or the test is over.
        }
        finally
        {
            if (hasTurn)
            {
                _turn.Release();
            }
        }
    }

    /// <summary>The code of a client's first message.</summary>
    private static async Task<int> ReadHelloAsync(NetworkStream from)
    {
        byte[] length = new byte[4];
        await from.ReadExactlyAsync(length);
        byte[] text = new byte[BinaryPrimitives.ReadInt32BigEndian(length) - 4];
        await from.ReadExactlyAsync(text);
        return BinaryPrimitives.ReadInt32BigEndian(text);
    }

    /// <summary>A whole message: its kind, its length, its text.</summary>
    private static async Task<byte[]> ReadAsync(NetworkStream from)
    {
        byte[] head = new byte[5];
        await from.ReadExactlyAsync(head);
        byte[] message = new byte[1 + BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1))];
        head.CopyTo(message, 0);
        await from.ReadExactlyAsync(message.AsMemory(5));
        return message;
    }

    private static byte[] Number(int value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }
}
