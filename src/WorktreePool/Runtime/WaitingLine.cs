namespace WorktreePool.Runtime;

/// <summary>
/// First come, first served among the waiting claims of one process. Only the claim at the head looks for slots; it leaves the line as
/// soon as it has taken one, so that preparation (git) is never done at the head.
/// </summary>
internal sealed class WaitingLine
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Place> _places = new();

    /// <summary>A new place at the end. A claim that may not wait joins too, but never asks for its turn.</summary>
    public Place Join() => new(this);

    /// <summary>One claim's place.</summary>
    internal sealed class Place(WaitingLine line) : IDisposable
    {
        private LinkedListNode<Place>? _node;
        private TaskCompletionSource? _turn;

        /// <summary>Whether <see cref="Leave"/> was called and <see cref="Rejoin"/> was not.</summary>
        public bool HasLeft { get; private set; }

        /// <summary>Completes when this place is at the head; at once while it stays there.</summary>
        public async ValueTask WaitForTurnAsync(CancellationToken cancellationToken)
        {
            TaskCompletionSource turn;
            lock (line._lock)
            {
                _turn ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _node ??= line._places.AddLast(this);
                if (line._places.First == _node)
                {
                    return;
                }

                turn = _turn;
            }

            await turn.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        /// <summary>Gives the turn to the next.</summary>
        public void Leave()
        {
            HasLeft = true;
            Remove();
        }

        /// <summary>Goes to the end of the line again.</summary>
        public void Rejoin() => HasLeft = false;

        /// <summary>Leaves for good, also when cancelled mid-line.</summary>
        public void Dispose() => Remove();

        private void Remove()
        {
            lock (line._lock)
            {
                if (_node is not null)
                {
                    line._places.Remove(_node);
                    (_node, _turn) = (null, null);
                    line._places.First?.Value._turn?.TrySetResult();
                }
            }
        }
    }
}
